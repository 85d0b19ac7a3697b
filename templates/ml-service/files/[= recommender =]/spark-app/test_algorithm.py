"""Tests of the data and of the model, on the sample: what is exported recommends what Spark recommends."""

import json
import sys
import unittest
from array import array
from pathlib import Path

import algorithm
import builder
import dataset as datasets
from table import DataProblem
from testing import SparkTest

SAMPLE = (builder.PROJECT / "data" / "input" / "[= table =]" / "part-0.csv").read_text()


def numbers(kind: str, file: Path) -> array:
    found = array(kind, file.read_bytes())
    if sys.byteorder == "big":
        found.byteswap()
    return found


class DatasetTest(SparkTest):
    def test_the_newest_rating_of_a_pair_counts(self):
        rows = "".join(f"u{number},i{number % 7},1,100\n" for number in range(60))
        csv = f"user,item,rating,time\n{rows}u1,i1,5,300\nu1,i1,3,200\n"
        dataset = datasets.prepare(self.spark, self.land("lab.ratings", csv))
        self.assertEqual(dataset.rows + dataset.held_out_rows, 60)
        newest = dataset.ratings.where("user = 'u1' AND item = 'i1'").first()
        self.assertEqual(newest["rating"], 5.0)
        self.assertEqual(dataset.window, {"start": "1970-01-01T00:01:40Z", "end": "1970-01-01T00:05:00Z"})

    def test_too_few_ratings_are_told(self):
        with self.assertRaisesRegex(DataProblem, r"lab.ratings has too few ratings: \d to train on, \d to evaluate on"):
            datasets.prepare(self.spark, self.land("lab.ratings", "user,item,rating,time\nu,i,1,100\n"))


class AlgorithmTest(SparkTest):
    def test_what_is_exported_recommends_what_spark_recommends(self):
        self.spark.sparkContext.setCheckpointDir(f"{self.folder}/checkpoints")
        dataset = datasets.prepare(self.spark, self.land("lab.ratings", SAMPLE))
        model = algorithm.train(dataset, algorithm.Params(rank=4))
        self.assertLess(algorithm.evaluate(model, dataset)["rmse"], 2)
        folder = self.folder / "export"
        folder.mkdir()
        algorithm.export(model, dataset, folder)

        users, items = (json.loads((folder / f"{name}.json").read_text()) for name in ("users", "items"))
        user_factors, item_factors = (numbers("f", folder / f"{name}_factors.f32") for name in ("user", "item"))
        self.assertEqual((len(user_factors), len(item_factors)), (4 * len(users), 4 * len(items)))
        offsets, known = numbers("I", folder / "known_offsets.u32"), numbers("I", folder / "known_items.u32")
        self.assertEqual((len(offsets), offsets[0], offsets[-1]), (len(users) + 1, 0, len(known)))
        rated: dict[str, set[str]] = {}
        for user, item, *_ in (line.split(",") for line in SAMPLE.splitlines()[1:]):
            rated.setdefault(user, set()).add(item)

        told = algorithm.predictions(model, dataset)["users"]
        self.assertEqual(len(told), len(users))
        for said in told:
            row = users.index(said["user"])
            mine = known[offsets[row] : offsets[row + 1]]
            self.assertEqual(list(mine), sorted(mine))
            self.assertEqual({items[each] for each in mine}, rated[said["user"]] & set(items))
            factors = user_factors[4 * row : 4 * row + 4]
            scores = [
                sum(one * other for one, other in zip(factors, item_factors[4 * item : 4 * item + 4], strict=True))
                for item in range(len(items))
            ]
            best = sorted(range(len(items)), key=lambda item: -scores[item])
            for name, wanted in [
                ("top_with_known", best[:10]),
                ("top", [item for item in best if item not in set(mine)][:10]),
            ]:
                self.assertEqual([each["item"] for each in said[name]], [items[item] for item in wanted])
                for each, item in zip(said[name], wanted, strict=True):
                    self.assertAlmostEqual(each["score"], scores[item], places=4)

        popular = json.loads((folder / "popular.json").read_text())
        counts = [sum(items[item] in mine for mine in rated.values()) for item in popular]
        self.assertEqual(counts, sorted(counts, reverse=True))


if __name__ == "__main__":
    unittest.main(verbosity=2)
