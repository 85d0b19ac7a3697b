import org.apache.spark.sql.SparkSession

/** Creates the sample's table in the metastore, from data/input: for a trial. A table that is there stays as it is. */
object CreateSample {
  private val Table = "[= table =]"
  private val Levels = Seq[String]([% for level in partition %]"[= level.name =]"[% unless forloop.last %], [% endunless %][% endfor %])

  def main(args: Array[String]): Unit = {
    val quoted = Table.split('.').map(part => s"`$part`")
    val spark = SparkSession.builder().enableHiveSupport().getOrCreate()
    try {
      // Levels stay as they are written: 01 is not 1.
      spark.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", false)
      spark.sql(s"CREATE DATABASE IF NOT EXISTS ${quoted.head}")
      val name = quoted.mkString(".")
      if (spark.catalog.tableExists(name)) println(s"$Table is there already")
      else {
        val frame = spark.read.option("header", true).option("inferSchema", true).csv(s"data/input/$Table")
        frame.write.partitionBy(Levels: _*).saveAsTable(name)
        println(s"created $Table with ${frame.count()} rows")
      }
    } finally spark.stop()
  }
}
