"""Trains, evaluates and exports the model: a logistic regression of Spark MLlib.
[%- if example == 'blank' %]

To fill in: Params and `train` for another algorithm. What the API can serve is what `export` writes: coefficients and
intercepts for each class. Parameters that BUILD_MODEL may set are declared in hippo.yaml, under models.
[%- endif %]
"""

import json
from dataclasses import dataclass
from pathlib import Path

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import StringIndexerModel, VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.sql import functions as F

from dataset import FEATURES, LABEL, Dataset, statistics

KIND = "classifier"
NAME = "logistic-regression"
MOST_SAMPLES = 200


@dataclass(frozen=True)
class Params:
    """What BUILD_MODEL may set; hippo.yaml has the limits of each."""

    reg_param: float = 0.01
    elastic_net_param: float = 0.0
    """0 is ridge (L2), 1 is lasso (L1)."""
    max_iter: int = 100


def train(dataset: Dataset, params: Params) -> PipelineModel:
    labels = StringIndexerModel.from_labels(dataset.classes, inputCol=LABEL, outputCol="label_index")
    assembler = VectorAssembler(inputCols=FEATURES, outputCol="features")
    regression = LogisticRegression(
        labelCol="label_index",
        regParam=params.reg_param,
        elasticNetParam=params.elastic_net_param,
        maxIter=params.max_iter,
    )
    return Pipeline(stages=[labels, assembler, regression]).fit(dataset.train)


def evaluate(model: PipelineModel, dataset: Dataset) -> dict[str, float]:
    """Figures of the held-out rows, by which a version is promoted or not (`promote` in hippo.yaml)."""
    predicted = model.transform(dataset.held_out).cache()
    evaluator = MulticlassClassificationEvaluator(labelCol="label_index")
    names = {"accuracy": "accuracy", "f1": "f1", "log_loss": "logLoss"}
    return {name: evaluator.evaluate(predicted, {evaluator.metricName: metric}) for name, metric in names.items()}


def export(model: PipelineModel, dataset: Dataset, folder: Path) -> None:
    """Writes the files by which the API predicts, without Spark. Two classes have one row of coefficients: the second's."""
    regression = model.stages[-1]
    content = {
        "coefficients": regression.coefficientMatrix.toArray().tolist(),
        "intercepts": regression.interceptVector.toArray().tolist(),
    }
    (folder / "coefficients.json").write_text(json.dumps(content), encoding="utf-8")


def describe(model: PipelineModel, dataset: Dataset) -> dict:
    """What the manifest says of the model, besides what it says of each: what goes in, what comes out, how the data was."""
    return {
        "input": {"schema_version": "1.0", "features": [{"name": name, "type": "number"} for name in FEATURES]},
        "output": {"schema_version": "1.0", "classes": dataset.classes},
        "statistics": statistics(dataset),
    }


def predictions(model: PipelineModel, dataset: Dataset) -> dict:
    """Spark's own predictions of some held-out rows, to compare the API's with."""
    some = dataset.held_out.orderBy(F.xxhash64(*FEATURES, LABEL)).limit(MOST_SAMPLES)
    rows = model.transform(some).select(*FEATURES, "prediction", vector_to_array("probability").alias("probabilities"))
    return {
        "rows": [
            {
                "features": [row[name] for name in FEATURES],
                "class": dataset.classes[int(row["prediction"])],
                "probabilities": row["probabilities"],
            }
            for row in rows.collect()
        ]
    }
