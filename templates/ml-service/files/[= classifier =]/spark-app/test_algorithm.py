"""Tests of the data and of the model, on the sample: what is exported predicts what Spark predicts."""

import json
import math
import unittest

import algorithm
import builder
import dataset as datasets
from table import DataProblem
from testing import SparkTest

SAMPLE = (builder.PROJECT / "data" / "input" / "[= table =]" / "part-0.csv").read_text()


def softmax(scores: list[float]) -> list[float]:
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


class AlgorithmTest(SparkTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dataset = datasets.prepare(cls.spark, "[= table =]")

    def test_no_row_is_both_trained_on_and_held_out(self):
        columns = [*datasets.FEATURES, datasets.LABEL]
        train, held_out = (frame.select(columns).distinct() for frame in (self.dataset.train, self.dataset.held_out))
        self.assertEqual(train.intersect(held_out).count(), 0)
        rows = SAMPLE.count("\n") - 1
        self.assertEqual(self.dataset.rows + self.dataset.held_out_rows, rows)
        self.assertTrue(0.1 < self.dataset.held_out_rows / rows < 0.3)

    def test_statistics_have_the_share_of_each_bin(self):
        for name, said in datasets.statistics(self.dataset).items():
            with self.subTest(name):
                values = sorted(row[0] for row in self.dataset.train.select(name).collect())
                self.assertAlmostEqual(said["mean"], sum(values) / len(values))
                self.assertEqual(said["edges"], sorted(set(said["edges"])))
                self.assertEqual((said["edges"][0], said["edges"][-1]), (values[0], values[-1]))
                self.assertEqual(len(said["edges"]), len(said["shares"]) + 1)
                self.assertAlmostEqual(sum(said["shares"]), 1)
                first = sum(value < said["edges"][1] for value in values) / len(values)
                self.assertAlmostEqual(said["shares"][0], first)

    def test_a_feature_that_is_always_the_same_has_one_bin(self):
        header, *lines = SAMPLE.splitlines()
        same = "\n".join([header, *(f"1,{line.split(',', 1)[1]}" for line in lines)])
        dataset = datasets.prepare(self.spark, self.land("lab.same", same))
        said = datasets.statistics(dataset)[datasets.FEATURES[0]]
        self.assertEqual(said, {"mean": 1.0, "stddev": 0.0, "edges": [1.0, 1.0], "shares": [1.0]})

    def test_a_class_with_too_few_rows_is_named(self):
        header, *lines = SAMPLE.splitlines()
        rare = ",".join([*lines[0].split(",")[:-1], "rare"])
        with self.assertRaisesRegex(DataProblem, "too few rows of the class 'rare'"):
            datasets.prepare(self.spark, self.land("lab.rare", "\n".join([header, *lines, rare])))
        only = "\n".join([header, *(line for line in lines if line.endswith(self.dataset.classes[0]))])
        with self.assertRaisesRegex(DataProblem, f"lab.only has 1 classes in {datasets.LABEL}"):
            datasets.prepare(self.spark, self.land("lab.only", only))

    def test_what_is_exported_predicts_what_spark_predicts(self):
        model = algorithm.train(self.dataset, algorithm.Params())
        self.assertGreater(algorithm.evaluate(model, self.dataset)["accuracy"], 0.9)
        algorithm.export(model, self.dataset, self.folder)
        exported = json.loads((self.folder / "coefficients.json").read_text())
        rows, intercepts = exported["coefficients"], exported["intercepts"]
        if len(self.dataset.classes) == 2:
            rows, intercepts = [[0.0] * len(datasets.FEATURES), *rows], [0.0, *intercepts]
        predictions = algorithm.predictions(model, self.dataset)["rows"]
        self.assertEqual(len(predictions), min(self.dataset.held_out_rows, algorithm.MOST_SAMPLES))
        for said in predictions:
            scores = [
                sum(map(math.prod, zip(row, said["features"], strict=True))) + intercept
                for row, intercept in zip(rows, intercepts, strict=True)
            ]
            probabilities = softmax(scores)
            for one, other in zip(probabilities, said["probabilities"], strict=True):
                self.assertAlmostEqual(one, other, places=9)
            self.assertEqual(said["class"], self.dataset.classes[probabilities.index(max(probabilities))])


if __name__ == "__main__":
    unittest.main(verbosity=2)
