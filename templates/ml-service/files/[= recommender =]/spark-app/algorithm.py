"""Trains, evaluates and exports the model: alternating least squares (ALS) of Spark MLlib."""

import json
import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import StringIndexer
from pyspark.ml.recommendation import ALS, ALSModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dataset import ITEM, RATING, USER, Dataset

KIND = "recommender"
NAME = "als"
MOST_POPULAR = 1_000
MOST_SAMPLES = 200
USER_ROW, ITEM_ROW = "user_row", "item_row"


@dataclass(frozen=True)
class Params:
    """What BUILD_MODEL may set; hippo.yaml has the limits of each."""

    rank: int = 10
    """Factors of each user and item."""
    reg_param: float = 0.1
    max_iter: int = 10


def train(dataset: Dataset, params: Params) -> PipelineModel:
    # A user's row is its place among all users in the order of their ids; it is the same in the factors and in users.json.
    rows = StringIndexer(
        inputCols=[USER, ITEM],
        outputCols=[USER_ROW, ITEM_ROW],
        stringOrderType="alphabetAsc",
        handleInvalid="skip",
    )
    als = ALS(
        userCol=USER_ROW,
        itemCol=ITEM_ROW,
        ratingCol=RATING,
        rank=params.rank,
        regParam=params.reg_param,
        maxIter=params.max_iter,
        coldStartStrategy="drop",
        # Each iteration builds on the one before: without checkpoints the plan grows until the stack overflows.
        checkpointInterval=3,
        seed=1,
    )
    return Pipeline(stages=[rows, als]).fit(dataset.train)


def evaluate(model: PipelineModel, dataset: Dataset) -> dict[str, float]:
    """Figures of the held-out ratings, by which a version is promoted or not (`promote` in hippo.yaml)."""
    predicted = model.transform(dataset.held_out).cache()
    evaluator = RegressionEvaluator(labelCol=RATING, predictionCol="prediction")
    return {name: evaluator.evaluate(predicted, {evaluator.metricName: name}) for name in ("rmse", "mae")}


def export(model: PipelineModel, dataset: Dataset, folder: Path) -> None:
    """Writes the files by which the API recommends, without Spark: factors, ids, and what each user has rated."""
    als = model.stages[-1]
    users, items = ids(model)
    write_factors(als.userFactors, folder / "user_factors.f32")
    write_factors(als.itemFactors, folder / "item_factors.f32")
    write_json(users, folder / "users.json")
    write_json(items, folder / "items.json")
    rated = known(model, dataset).cache()
    offsets, rows = array("I", [0]), array("I")
    # One row at a time: the ratings need not fit into the memory of the driver.
    for user, item in rated.orderBy(USER_ROW, ITEM_ROW).toLocalIterator():
        while len(offsets) <= user:
            offsets.append(len(rows))
        rows.append(item)
    while len(offsets) <= len(users):
        offsets.append(len(rows))
    write_numbers(offsets, folder / "known_offsets.u32")
    write_numbers(rows, folder / "known_items.u32")
    counts = rated.groupBy(ITEM_ROW).count().orderBy(F.desc("count"), ITEM_ROW).limit(MOST_POPULAR)
    write_json([row[ITEM_ROW] for row in counts.collect()], folder / "popular.json")


def describe(model: PipelineModel, dataset: Dataset) -> dict:
    """What the manifest says of the model, besides what it says of each: what goes in, what comes out."""
    users, items = ids(model)
    return {
        "input": {"schema_version": "1.0", "users": len(users)},
        "output": {"schema_version": "1.0", "items": len(items), "rank": model.stages[-1].rank},
    }


def predictions(model: PipelineModel, dataset: Dataset) -> dict:
    """Spark's own ten best items of some users, to compare the API's with: of those that they have not rated, and of all."""
    als: ALSModel = model.stages[-1]
    users, items = ids(model)
    rated: dict[int, set[int]] = {}
    some = model.stages[0].transform(dataset.train).select(USER_ROW).distinct().orderBy(F.xxhash64(USER_ROW))
    some = some.limit(MOST_SAMPLES).cache()
    for user, item in known(model, dataset).join(F.broadcast(some), USER_ROW).select(USER_ROW, ITEM_ROW).collect():
        rated.setdefault(int(user), set()).add(int(item))
    most = max(map(len, rated.values()))
    best = als.recommendForUserSubset(some, min(len(items), 10 + most)).collect()

    def told(found: Iterable) -> list[dict]:
        return [{"item": items[each[ITEM_ROW]], "score": each["rating"]} for each in found][:10]

    return {
        "users": [
            {
                "user": users[row[USER_ROW]],
                "top": told(each for each in row["recommendations"] if each[ITEM_ROW] not in rated[row[USER_ROW]]),
                "top_with_known": told(row["recommendations"]),
            }
            for row in best
        ]
    }


def ids(model: PipelineModel) -> tuple[list[str], list[str]]:
    """Users and items, each at the place of its row in the factors."""
    users, items = model.stages[0].labelsArray
    return list(users), list(items)


def known(model: PipelineModel, dataset: Dataset) -> DataFrame:
    """The rows of user and item of all ratings. Users and items that only held-out ratings have are not in the model."""
    return model.stages[0].transform(dataset.ratings).select(F.col(USER_ROW).cast("int"), F.col(ITEM_ROW).cast("int"))


def write_factors(factors: DataFrame, file: Path) -> None:
    with open(file, "wb") as out:
        for row in factors.orderBy("id").toLocalIterator():
            out.write(little_endian(array("f", row["features"])))


def write_numbers(numbers: array, file: Path) -> None:
    file.write_bytes(little_endian(numbers))


def little_endian(numbers: array) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def write_json(content: list, file: Path) -> None:
    file.write_text(json.dumps(content), encoding="utf-8")
