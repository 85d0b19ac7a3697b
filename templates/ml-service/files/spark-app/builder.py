"""Builds one version of the model: reads the table, trains, evaluates, and writes the version's folder.

    ./start-spark.sh --table [= table =]

The client starts it. $HIPPO_MODEL_FILE names the version to build, its place and its parameters; $HIPPO_RESULT_FILE then has
the metrics. The builder does not decide whether the version is served: the client compares it with the one that serves.
"""

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession

import algorithm
import dataset as datasets
from table import DataProblem
from version import CHECKPOINTS, HadoopPlace, LocalPlace, WriteProblem, checked, place_of, storage_problem

PROJECT = Path(__file__).resolve().parent.parent
PREDICTIONS = "held_out.json"
PIPELINE = "pipeline"


class OrderProblem(Exception):
    """What the client has asked for cannot be done; the text says why."""


@dataclass(frozen=True)
class Order:
    """What the client asks for: $HIPPO_MODEL_FILE."""

    model: str
    version: str
    location: str
    parent: str | None
    serving: str | None
    retired: list[str]
    """Versions whose folders are to be removed."""
    params: algorithm.Params


def read_order(file: str | None) -> Order:
    if file is None:
        raise OrderProblem(
            "$HIPPO_MODEL_FILE is not set: the client starts this program. To build a version: hippo model build [= model =]"
        )
    asked = json.loads(Path(file).read_text(encoding="utf-8"))
    return Order(
        model=asked["model"],
        version=checked(asked["version"]),
        location=asked["location"],
        parent=asked.get("parent"),
        serving=(asked.get("serving") or {}).get("version"),
        retired=asked.get("retired", []),
        params=params_of(asked.get("params", {})),
    )


def params_of(given: dict) -> algorithm.Params:
    known = [field.name for field in fields(algorithm.Params)]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise OrderProblem(
            f"the algorithm has no parameter {', '.join(unknown)}; it has: {', '.join(known)}. "
            "Correct params in hippo.yaml, or add it to Params in spark-app/algorithm.py"
        )
    return algorithm.Params(**given)


def build(spark: SparkSession, order: Order, table: str) -> dict:
    """Does the whole work, and returns the result for the client. Before the last step nothing could be served."""
    place = place_of(spark, order.location)
    removed = remove_retired(place, order)
    say(f"reads {table}")
    dataset = datasets.prepare(spark, table)
    if dataset.incomplete > 0:
        say(f"left out {dataset.incomplete} rows that lack a value")
    place.prepare(order.version)
    try:
        spark.sparkContext.setCheckpointDir(f"{place.staging(order.version)}/{CHECKPOINTS}")
        say(f"trains on {dataset.rows} rows with {order.params}")
        model = algorithm.train(dataset, order.params)
        metrics = algorithm.evaluate(model, dataset)
        if unknown := [name for name, value in metrics.items() if not math.isfinite(value)]:
            raise DataProblem(f"{', '.join(unknown)} could not be computed from {dataset.held_out_rows} held-out rows")
        figures = ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        say(f"evaluated on {dataset.held_out_rows} rows: {figures}")
        manifest = write(place, order, table, dataset, model, metrics)
    except BaseException:
        place.discard(order.version)
        raise
    say(f"wrote {order.version}")
    return {
        "name": order.model,
        "version": order.version,
        "metrics": metrics,
        "rows": dataset.rows,
        "manifest_sha256": hashlib.sha256(manifest).hexdigest(),
        "removed": removed,
    }


def write(
    place: LocalPlace | HadoopPlace,
    order: Order,
    table: str,
    dataset: datasets.Dataset,
    model: PipelineModel,
    metrics: dict[str, float],
) -> bytes:
    """Writes the version's folder, and returns its manifest."""
    with tempfile.TemporaryDirectory(prefix="hippo-model-") as name:
        files = Path(name)
        algorithm.export(model, dataset, files)
        artefact = {file.name: {"bytes": file.stat().st_size, "sha256": sha256(file)} for file in sorted(files.iterdir())}
        write_json(algorithm.predictions(model, dataset), files / PREDICTIONS)
        manifest = {
            "format": "hippo-model",
            "schema_version": "1.0",
            "model": order.model,
            "version": order.version,
            "kind": algorithm.KIND,
            "algorithm": algorithm.NAME,
            "created_at": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "parent": order.parent,
            "git_revision": git_revision(),
            "job_id": os.environ.get("HIPPO_JOB_ID"),
            "training": {
                "table": table,
                "window": dataset.window,
                "rows": dataset.rows,
                "held_out_rows": dataset.held_out_rows,
            },
            "params": vars(order.params),
            "metrics": metrics,
            **algorithm.describe(model, dataset),
            # What the API reads. It reads neither the pipeline nor Spark's predictions.
            "files": artefact,
        }
        say(f"writes {order.version} to {order.location}")
        model.write().save(f"{place.staging(order.version)}/{PIPELINE}")
        content = json.dumps(manifest, indent=2, allow_nan=False).encode()
        place.publish(order.version, files, content)
    return content


def remove_retired(place: LocalPlace | HadoopPlace, order: Order) -> list[str]:
    """A version that cannot be removed now is told, and tried again by the next build."""
    removed = []
    for version in order.retired:
        if version in (order.version, order.parent, order.serving):
            continue
        try:
            place.remove(version)
            removed.append(version)
        except (OSError, Py4JJavaError, WriteProblem) as error:
            say(f"cannot remove {version}: {str(error).splitlines()[0]}")
    return removed


def git_revision() -> str | None:
    """The commit of this project, with -dirty if files differ from it; None if it is not in git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        asked = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.strip()


def sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with open(file, "rb") as content:
        while part := content.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def write_json(content: dict, file: Path) -> None:
    """Whole or not at all: a file of that name is complete."""
    draft = file.with_name(f"{file.name}.draft")
    draft.write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
    os.replace(draft, file)


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} builder: {text}", flush=True)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="builder", allow_abbrev=False)
    parser.add_argument("--table", required=True, help="the table to train on: db.table")
    return parser.parse_args(argv)


def session(settings: dict[str, str] | None = None) -> SparkSession:
    own = {"spark.sql.session.timeZone": "UTC", "spark.sql.shuffle.partitions": "4"}
    builder = SparkSession.builder
    for name, value in {**own, **(settings or {})}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def main() -> None:
    args = arguments()
    try:
        order = read_order(os.environ.get("HIPPO_MODEL_FILE"))
        spark = session()
        try:
            result = build(spark, order, args.table)
        finally:
            spark.stop()
    except (OrderProblem, DataProblem, WriteProblem, OSError) as problem:
        sys.exit(f"builder: {problem}")
    except Py4JJavaError as error:
        reason = storage_problem(error)
        if reason is None:
            raise
        sys.exit(f"builder: {reason}")
    if result_file := os.environ.get("HIPPO_RESULT_FILE"):
        write_json({"model": result}, Path(result_file))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
