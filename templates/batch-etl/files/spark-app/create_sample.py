"""Creates the sample's table in the metastore, from data/input: for a trial. A table that is there stays as it is."""

from pyspark.sql import SparkSession

TABLE = "[= table =]"
LEVELS = [[% for level in partition %]"[= level.name =]"[% unless forloop.last %], [% endunless %][% endfor %]]


def main() -> None:
    database, table = TABLE.split(".")
    spark = SparkSession.builder.enableHiveSupport().getOrCreate()
    # Levels stay as they are written: 01 is not 1.
    spark.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", False)
    spark.sql(f"CREATE DATABASE IF NOT EXISTS `{database}`")
    name = f"`{database}`.`{table}`"
    if spark.catalog.tableExists(name):
        print(f"{TABLE} is there already")
    else:
        frame = spark.read.csv(f"data/input/{TABLE}", header=True, inferSchema=True)
        frame.write.partitionBy(*LEVELS).saveAsTable(name)
        print(f"created {TABLE} with {frame.count()} rows")
    spark.stop()


if __name__ == "__main__":
    main()
