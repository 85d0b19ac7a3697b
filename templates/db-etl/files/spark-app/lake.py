"""Files of the lake: folders of Parquet that are replaced as a whole, and small notes, wherever Spark can write."""

from pyspark.sql import DataFrame, SparkSession


class Lake:
    def __init__(self, spark: SparkSession, root: str):
        self.spark = spark
        self.root = root

    def _at(self, path: str):
        jpath = self.spark._jvm.org.apache.hadoop.fs.Path(f"{self.root}/{path}")
        return jpath.getFileSystem(self.spark._jsc.hadoopConfiguration()), jpath

    def replace(self, frame: DataFrame, path: str, staging: str) -> int:
        """Writes a folder of Parquet beside, then puts it in the place of the one that is there. Returns how many rows."""
        self.remove(staging)
        frame.write.parquet(f"{self.root}/{staging}")
        rows = self.spark.read.parquet(f"{self.root}/{staging}").count()
        files, target = self._at(path)
        files.mkdirs(target.getParent())
        files.delete(target, True)
        if not files.rename(self._at(staging)[1], target):
            raise OSError(f"{self.root}/{staging} could not be renamed to {path}")
        return rows

    def remove(self, path: str) -> None:
        files, jpath = self._at(path)
        files.delete(jpath, True)

    def read_note(self, path: str) -> str | None:
        """None where there is no such file."""
        files, jpath = self._at(path)
        if not files.exists(jpath):
            return None
        stream = files.open(jpath)
        try:
            return bytes(stream.readAllBytes()).decode("utf-8")
        finally:
            stream.close()

    def write_note(self, path: str, text: str) -> None:
        files, jpath = self._at(path)
        stream = files.create(jpath, True)
        try:
            stream.write(bytearray(text.encode("utf-8")))
        finally:
            stream.close()
