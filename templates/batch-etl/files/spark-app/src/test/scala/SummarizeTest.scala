import java.nio.file.{Files, Path}
[%- if input == 'files' %]
import org.apache.spark.SparkException
[%- endif %]
import org.apache.spark.sql.{Row, SparkSession}
[%- if input == 'table' %]
import org.apache.spark.sql.types.StructType
[%- endif %]
import org.scalatest.{BeforeAndAfterAll, BeforeAndAfterEach}
import org.scalatest.funsuite.AnyFunSuite
import org.scalatest.tools.Runner
import scala.jdk.CollectionConverters._

/** Tests of the Spark job, on a real Spark: ../test.sh runs them by spark-submit, as the job itself runs. */
object RunTests {
  def main(args: Array[String]): Unit =
    if (!Runner.run(Array("-oW", "-s", classOf[SummarizeTest].getName) ++ args)) sys.exit(1)
}

class SummarizeTest extends AnyFunSuite with BeforeAndAfterAll with BeforeAndAfterEach {
  private lazy val folder: Path = Files.createTempDirectory("summarize")
[%- if input == 'table' %]
  private lazy val spark = SparkSession
    .builder()
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.sql.warehouse.dir", s"$folder/warehouse")
    .config("spark.hadoop.javax.jdo.option.ConnectionURL", s"jdbc:derby:$folder/metastore;create=true")
    .enableHiveSupport()
    .getOrCreate()

  private val sales = "city STRING, item STRING, amount INT, price DOUBLE"
  private val rows = Seq(
    Row("Taipei", "tea", 2, 30.0),
    Row("Taipei", "rice", 4, null),
    Row("Tainan", "tea", 1, 28.5))

  override def beforeEach(): Unit = {
    spark.sql("CREATE DATABASE shop")
    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
  }

  override def afterEach(): Unit = {
    spark.catalog.clearCache()
    spark.sql("DROP DATABASE shop CASCADE")
  }

  override def afterAll(): Unit = {
    spark.stop()
    delete(folder)
  }

  /** Puts rows in place of a partition of shop.sales: yyyymm=202401/region=us. */
  private def land(partition: String, landed: Seq[Row]): Unit = {
    val frame = spark.createDataFrame(landed.asJava, StructType.fromDDL(sales))
    val levels = partition.split('/').toSeq.filter(_.nonEmpty).map(Level.parse)
    val full = levels.foldLeft(frame)((so, level) => so.selectExpr("*", s"'${level.value}' AS ${level.name}"))
    if (spark.catalog.tableExists("shop.sales")) full.write.mode("overwrite").insertInto("shop.sales")
    else full.write.partitionBy(levels.map(_.name): _*).saveAsTable("shop.sales")
  }

  private def runJob(args: String*) = Summarize.run(spark, Arguments.parse("--table" :: "shop.sales" :: args.toList))

  private def output: Set[Row] = spark.table("shop.sales_summary").collect().toSet

  private def wroteNothing: Boolean = !spark.catalog.tableExists("shop.sales_summary")

  test("counts rows and averages each measure of a group") {
    land("yyyymm=202401", rows)
    val result = runJob("--partition", "yyyymm=202401", "--group-by", "city")
    assert((result.get("rows"), result.get("groups")) == ((3L, 2L)))
    assert(result.get("output") == "shop.sales_summary/yyyymm=202401")
    assert(output == Set(Row("Tainan", 1L, 1.0, 28.5, "202401"), Row("Taipei", 2L, 3.0, 30.0, "202401")))
  }

  test("takes all rows of an unpartitioned table as one group when none is named") {
    land("", rows)
    runJob("--measure", "amount")
    assert(output == Set(Row(3L, 7.0 / 3)))
  }

  test("running again replaces its partition and no other") {
    land("yyyymm=202401", rows)
    land("yyyymm=202402", rows)
    runJob("--partition", "yyyymm=202401", "--measure", "amount")
    runJob("--partition", "yyyymm=202402", "--measure", "amount")
    land("yyyymm=202401", Seq(Row("Taipei", "tea", 10, 1.0)))
    runJob("--partition", "yyyymm=202401", "--measure", "amount")
    assert(output == Set(Row(1L, 10.0, "202401"), Row(3L, 7.0 / 3, "202402")))
  }

  test("reads a partition of several levels, by the types that they have") {
    spark.sql("CREATE TABLE shop.sales (amount INT, dt DATE, hour INT) USING parquet PARTITIONED BY (dt, hour)")
    spark.sql("INSERT INTO shop.sales VALUES (1, DATE '2024-01-01', 6), (2, DATE '2024-01-01', 7)")
    val result = runJob("--partition", "dt=2024-01-01", "--partition", "hour=06")
    assert(result.get("rows") == 1L)
    assert(output == Set(Row(1L, 1.0, "2024-01-01", "06")))
  }

  test("says what is wrong with the data and writes nothing") {
    refuses()("no table shop.sales in the metastore")
    land("yyyymm=202401", rows)
    val month = Seq("--partition", "yyyymm=202401")
    refuses("--partition", "yyyymm=209912")("no rows in shop.sales/yyyymm=209912")
    refuses("--partition", "region=us")("shop.sales is not partitioned by region; it is by: yyyymm")
    refuses(month ++ Seq("--group-by", "colour"): _*)("no column colour; there are: city, item")
    refuses(month ++ Seq("--measure", "item"): _*)("not numeric: item; numeric are: amount, price")
    assert(wroteNothing)
  }

  test("refuses to write into a table of other columns") {
    land("yyyymm=202401", rows)
    runJob("--partition", "yyyymm=202401", "--measure", "amount")
    refuses("--partition", "yyyymm=202401", "--measure", "price")("has the columns rows, mean_amount, yyyymm")
    assert(output == Set(Row(3L, 7.0 / 3, "202401")))
  }

  test("names each column that is not as expected") {
    land("yyyymm=202401", rows)
    val month = Seq("--partition", "yyyymm=202401", "--schema")
    refuses(month :+ "total DOUBLE, amount INT": _*)(
      "no column total (expected: DOUBLE); not in --schema: city STRING, item STRING, price DOUBLE; in shop.sales/")
    refuses(month :+ "amount STRING, price DOUBLE": _*)("column amount: expected STRING, found INT; ")
    refuses(month :+ "amount": _*)("--schema 'amount' is not a list such as")
    assert(wroteNothing)
    assert(runJob(month :+ "CITY string, item string, amount int, price double": _*).get("rows") == 3L)
  }
[%- else %]
  private lazy val spark = SparkSession.builder().config("spark.sql.shuffle.partitions", "1").getOrCreate()

  private val sales = "city,item,amount,price\nTaipei,tea,2,30\nTaipei,rice,4,\nTainan,tea,1,28.5\n"

  override def afterEach(): Unit = Seq("input", "output").foreach(name => delete(folder.resolve(name)))

  override def afterAll(): Unit = {
    spark.stop()
    delete(folder)
  }

  private def land(partition: String, text: String, file: String = "part-0.csv"): Unit = {
    val path = folder.resolve(s"input/shop.sales/$partition")
    Files.createDirectories(path)
    Files.writeString(path.resolve(file), text)
  }

  private def runJob(args: String*) =
    Summarize.run(spark, Arguments.parse("--table" :: "shop.sales" :: args.toList), s"$folder/input", s"$folder/output")

  private def output: Set[Row] = spark.read.parquet(s"$folder/output/shop.sales_summary").collect().toSet

  private def wroteNothing: Boolean = !Files.exists(folder.resolve("output"))

  test("counts rows and averages each measure of a group") {
    land("yyyymm=202401", sales)
    val result = runJob("--partition", "yyyymm=202401", "--group-by", "city")
    assert((result.get("rows"), result.get("groups")) == ((3L, 2L)))
    assert(result.get("output") == s"$folder/output/shop.sales_summary/yyyymm=202401")
    assert(output == Set(Row("Tainan", 1L, 1.0, 28.5, 202401), Row("Taipei", 2L, 3.0, 30.0, 202401)))
  }

  test("averages only the measures asked for") {
    land("yyyymm=202401", sales)
    runJob("--partition", "yyyymm=202401", "--group-by", "item", "--measure", "amount")
    assert(output == Set(Row("rice", 1L, 4.0, 202401), Row("tea", 2L, 1.5, 202401)))
  }

  test("takes all rows of an unpartitioned table as one group when none is named") {
    land("", sales)
    runJob("--measure", "amount")
    assert(output == Set(Row(3L, 7.0 / 3)))
  }

  test("running again replaces its partition and no other") {
    land("yyyymm=202401", sales)
    land("yyyymm=202402", sales)
    runJob("--partition", "yyyymm=202401", "--measure", "amount")
    runJob("--partition", "yyyymm=202402", "--measure", "amount")
    land("yyyymm=202401", "city,amount\nTaipei,10\n")
    runJob("--partition", "yyyymm=202401", "--measure", "amount")
    assert(output == Set(Row(1L, 10.0, 202401), Row(3L, 7.0 / 3, 202402)))
  }

  test("reads a partition of several levels") {
    land("day=20240101/region=us", sales)
    land("day=20240101/region=eu", sales)
    val result = runJob("--partition", "day=20240101", "--partition", "region=us")
    assert(result.get("partition") == Map("day" -> "20240101", "region" -> "us").asJava)
    assert(result.get("rows") == 3L)
  }

  test("says what is wrong with the data and writes nothing") {
    land("yyyymm=202401", sales)
    land("yyyymm=202402", "city,amount\n")
    refuses("--partition", "yyyymm=209912")("nothing to read in")
    refuses("--partition", "yyyymm=202402")("no rows in")
    refuses("--partition", "yyyymm=202401", "--group-by", "colour")("no column colour; there are: city, item")
    refuses("--partition", "yyyymm=202401", "--measure", "item")("not numeric: item; numeric are: amount, price")
    assert(wroteNothing)
  }

  test("names each column that is not as expected") {
    land("yyyymm=202401", sales)
    land("yyyymm=202402", "city,amount\nTaipei,2\nTaipei,two\nTaipei,\nTainan,three\n")
    val table = Seq(
      ("202401", "city STRING, total DOUBLE", "no column total (expected: DOUBLE); not in --schema: item STRING, "),
      ("202402", "city STRING, amount INT", "column amount: expected INT, found 'two' (in 2 of 4 rows); in "),
      ("202402", "city INT, amount STRING", "column city: expected INT, found 'Taipei' (in 4 of 4 rows)"),
      ("202402", "city INT, amount DATE", "column amount: expected DATE, found '2'"),
      ("202401", "amount", "--schema 'amount' is not a list such as"))
    for ((month, schema, text) <- table) refuses("--partition", s"yyyymm=$month", "--schema", schema)(text)
    assert(wroteNothing)
  }

  test("reads expected columns as what they are, and goes on with new ones") {
    land("yyyymm=202401", "City,amount,new\n007,1,x\n7,2,\n")
    runJob("--partition", "yyyymm=202401", "--group-by", "city", "--schema", "city STRING, amount DOUBLE")
    assert(output == Set(Row("007", 1L, 1.0, 202401), Row("7", 1L, 2.0, 202401)))
  }

  test("refuses files of one partition with different columns") {
    land("yyyymm=202401", sales)
    land("yyyymm=202401", "city,item,price,amount\nTaipei,tea,30,2\n", "part-1.csv")
    val error = intercept[SparkException](runJob("--partition", "yyyymm=202401", "--schema", "amount INT, price DOUBLE"))
    assert(Summarize.storageProblem(error, "").exists(_.contains("Expected: amount but found: price")))
  }

  test("says where it cannot write") {
    land("yyyymm=202401", sales)
    Files.writeString(folder.resolve("output"), "a file, and no folder")
    val error = intercept[Exception](runJob("--partition", "yyyymm=202401"))
    assert(Summarize.storageProblem(error, "cannot write there").exists(_.matches("cannot write there: .*output.*")))
  }
[%- endif %]

  test("names the folder of a partition as Spark does") {
    assert(Level.parse("at=2024-01-01T09:00+a b").path == "at=2024-01-01T09%3A00+a b")
  }

  test("refuses arguments that it does not know, and a partition that would read other files") {
    for (text <- Seq("yyyymm", "yyyymm=", "=202401", "yyyymm=*", "yyyymm=2024{01,02}", "yyyymm=../../secret"))
      assert(intercept[DataProblem](Level.parse(text)).getMessage.contains("is not level=value"))
    for (args <- Seq(List("--tabel", "a.b"), List("--table"), Nil))
      assert(intercept[DataProblem](Arguments.parse(args)).getMessage.contains("--table DB.TABLE"))
  }

  private def refuses(args: String*)(text: String): Unit = {
    val said = intercept[DataProblem](runJob(args: _*)).getMessage
    assert(said.contains(text))
  }

  private def delete(path: Path): Unit = if (Files.exists(path)) {
    val paths = Files.walk(path)
    try paths.iterator.asScala.toSeq.reverse.foreach(Files.delete(_))
    finally paths.close()
  }
}
