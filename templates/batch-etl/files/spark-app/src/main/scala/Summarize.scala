import com.fasterxml.jackson.databind.ObjectMapper
import java.nio.file.{Files, Paths}
import java.util.{LinkedHashMap => JsonObject}
import org.apache.spark.sql.{[% if input == 'files' %]AnalysisException, [% endif %]Column, DataFrame, SparkSession}
import org.apache.spark.sql.catalyst.parser.ParseException
import org.apache.spark.sql.functions.{col, count, expr[% if input == 'files' %], first[% endif %], lit, mean[% if input == 'files' %], when[% endif %]}
import org.apache.spark.sql.types.{DataType, NumericType, [% if input == 'files' %]StringType, StructField, [% endif %]StructType}
import scala.annotation.tailrec

/**
 * Summarizes one landed partition: rows, and the mean of each measure, for each group.
 *
 * {{{
 * ./start-spark.sh --table shop.sales --partition yyyymm=202401 --group-by city --measure amount \
 *     --schema 'city STRING, amount DOUBLE'
 * }}}
 *
[%- if input == 'table' %]
 * It reads the table in the metastore of Spark's hive-site.xml, or without one in an embedded Derby in this folder (metastore_db
 * and spark-warehouse), and writes the table <table>_summary there: that partition and no other.
[%- else %]
 * It reads $HIPPO_INPUT_DIR/<table>/<level>=<value>/… (data/input by default), and writes
 * $HIPPO_OUTPUT_DIR/<table>_summary/<level>=<value>/… (data/output), that partition and no other. Either folder may be a URI
 * that Spark can reach: hdfs://…, s3a://….
[%- endif %]
 */
object Summarize {

[%- if input == 'files' %]
  private val InputFormat = "csv"
  private val InputOptions =
    Map("header" -> "true", "inferSchema" -> "true", "enforceSchema" -> "false", "mode" -> "FAILFAST")

  /** Files of these formats say nothing of types: their values are read as text, and then as the type of --schema. */
  private val TextFormats = Set("csv")
[% endif %]
  def main(args: Array[String]): Unit = {
    val arguments =
      try Arguments.parse(args.toList)
      catch { case problem: DataProblem => fail(problem.getMessage, code = 2) }
    val spark = SparkSession.builder()[% if input == 'table' %].enableHiveSupport()[% endif %].getOrCreate()
[%- if input == 'table' %]
    val what = "cannot read or write the tables of the metastore"
    val outcome =
      try Right(run(spark, arguments))
[%- else %]
    val inputDir = sys.env.getOrElse("HIPPO_INPUT_DIR", "data/input")
    val outputDir = sys.env.getOrElse("HIPPO_OUTPUT_DIR", "data/output")
    val what = s"cannot read $inputDir or write $outputDir"
    val outcome =
      try Right(run(spark, arguments, inputDir, outputDir))
[%- endif %]
      catch {
        case problem: DataProblem => Left(problem.getMessage)
        case error: Throwable => Left(storageProblem(error, what).getOrElse(throw error))
      } finally spark.stop()
    val json = new ObjectMapper().writeValueAsString(outcome.fold(fail(_), identity))
    sys.env.get("HIPPO_RESULT_FILE").foreach(file => Files.writeString(Paths.get(file), json))
    println(json)
  }

  private def fail(reason: String, code: Int = 1): Nothing = {
    System.err.println(s"summarize: $reason")
    sys.exit(code)
  }

  /** Does the whole job, and returns what its finish message will say. */
[%- if input == 'table' %]
  def run(spark: SparkSession, arguments: Arguments): JsonObject[String, Any] = {
    import arguments._
    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
    // A metastore in Derby finds partitions by levels of text only: of the others Spark takes all, and chooses itself.
    spark.conf.set("spark.sql.hive.metastorePartitionPruningFallbackOnException", true)
    val frame = readPartition(spark, table, partition, columnsOf(schema)).cache()
    val summary = summarize(frame, groupBy, measuresOf(frame, groupBy, measures)).cache()
    val output = s"${table}_summary"
    writePartition(spark, summary, output, partition)
[%- else %]
  def run(
      spark: SparkSession,
      arguments: Arguments,
      inputDir: String,
      outputDir: String): JsonObject[String, Any] = {
    import arguments._
    val frame = readPartition(spark, inputDir, table, partition, columnsOf(schema)).cache()
    val summary = summarize(frame, groupBy, measuresOf(frame, groupBy, measures)).cache()
    val output = s"$outputDir/${table}_summary"
    writePartition(summary, output, partition)
[%- endif %]
    val levels = new JsonObject[String, Any]
    partition.foreach(level => levels.put(level.name, level.value))
    val result = new JsonObject[String, Any]
    result.put("table", table)
    result.put("partition", levels)
    result.put("rows", frame.count())
    result.put("groups", summary.count())
    result.put("output", (output +: partition.map(_.path)).mkString("/"))
    result
  }

  /** The columns of `--schema`. Without it nothing is expected. */
  def columnsOf(schema: Option[String]): StructType =
    try schema.fold(new StructType)(StructType.fromDDL)
    catch {
      case error: ParseException =>
        val reason = error.getMessage.trim.linesIterator.next()
        val written = schema.getOrElse("")
        throw new DataProblem(s"--schema '$written' is not a list such as 'city STRING, amount DOUBLE': $reason")
    }

  /** In backquotes a dot belongs to the column's name. */
  private def column(name: String): Column = col(s"`$name`")

  private def sql(kind: DataType): String = kind.simpleString.toUpperCase

[% if input == 'table' %]  private def inMetastore(table: String): String = table.split('.').map(part => s"`$part`").mkString(".")

  def readPartition(spark: SparkSession, table: String, partition: Seq[Level], expected: StructType): DataFrame = {
    val name = inMetastore(table)
    if (!spark.catalog.tableExists(name)) throw new DataProblem(s"no table $table in the metastore")
    val all = spark.table(name)
    val levels = spark.catalog.listColumns(name).collect().filter(_.isPartition).map(_.name).toSeq
    val chosen = partition.foldLeft(all) { (frame, wanted) =>
      val level = levels.find(_.equalsIgnoreCase(wanted.name)).getOrElse {
        val there = if (levels.isEmpty) "nothing" else levels.mkString(", ")
        throw new DataProblem(s"$table is not partitioned by ${wanted.name}; it is by: $there")
      }
      // Of the level's own type, so that the metastore finds the partition and the others are not read.
      val kind = all.schema(level).dataType.simpleString
      frame.where(column(level) === expr(s"try_cast('${wanted.value}' AS $kind)")).drop(level)
    }
    val where = (table +: partition.map(_.path)).mkString("/")
    val frame = checkColumns(chosen, expected, where)
    if (frame.isEmpty) throw new DataProblem(s"no rows in $where")
    frame
  }
[% else %]  def readPartition(
      spark: SparkSession,
      directory: String,
      table: String,
      partition: Seq[Level],
      expected: StructType): DataFrame = {
    val path = (Seq(directory, table) ++ partition.map(_.path)).mkString("/")
    val reader = spark.read.format(InputFormat).options(InputOptions)
    val inferred =
      try reader.load(path)
      catch {
        case error: AnalysisException if Set("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA")(error.getCondition) =>
          throw new DataProblem(s"nothing to read in $path")
      }
    val loaded =
      if (TextFormats(InputFormat) && expected.nonEmpty) {
        val names = expected.map(_.name.toLowerCase).toSet
        // As text, because the type that Spark infers for 007 is a number, which is 7.
        val fields = inferred.schema.map { field =>
          if (names(field.name.toLowerCase)) field.copy(dataType = StringType) else field
        }
        reader.schema(StructType(fields)).load(path)
      } else inferred
    val frame = checkColumns(loaded, expected, path)
    if (frame.isEmpty) throw new DataProblem(s"no rows in $path")
    frame
  }
[% endif %]
  /**
   * The frame, its expected columns in their types. Columns that are not expected stay as they are.
   *
   * Throws a DataProblem that names each column that is missing or of another type.
   */
  def checkColumns(frame: DataFrame, expected: StructType, where: String): DataFrame = {
    val found = frame.schema.map(field => field.name.toLowerCase -> field.dataType).toMap
    val missing = expected.filterNot(field => found.contains(field.name.toLowerCase))
    val present = expected.filter(field => found.contains(field.name.toLowerCase))
[%- if input == 'files' %]
    val (texts, typed) = present.partition(_ => TextFormats(InputFormat))
[%- else %]
    val typed = present
[%- endif %]
    val problems =
      missing.map(field => s"no column ${field.name} (expected: ${sql(field.dataType)})") ++
        typed.flatMap { field =>
          val kind = found(field.name.toLowerCase)
          if (kind == field.dataType) None
          else Some(s"column ${field.name}: expected ${sql(field.dataType)}, found ${sql(kind)}")
        }[% if input == 'files' %] ++ wrongValues(frame, texts)[% endif %]
    val names = expected.map(_.name.toLowerCase).toSet
    val others = frame.schema
      .filterNot(field => names(field.name.toLowerCase))
      .map(field => s"${field.name} ${sql(field.dataType)}")
    if (problems.nonEmpty) {
      val more = if (others.isEmpty) Nil else Seq(s"not in --schema: ${others.mkString(", ")}")
      throw new DataProblem((problems ++ more).mkString("; ") + s"; in $where")
    }
    if (expected.nonEmpty && others.nonEmpty)
      System.err.println(s"summarize: columns that are not in --schema: ${others.mkString(", ")}; in $where")
[%- if input == 'files' %]
    texts.foldLeft(frame)((so, field) => so.withColumn(field.name, column(field.name).cast(field.dataType)))
  }

  /** Says of each column of text which of its values are not of the expected type. */
  private def wrongValues(frame: DataFrame, fields: Seq[StructField]): Seq[String] =
    if (fields.isEmpty) Nil
    else {
      val counts = fields.flatMap { field =>
        val value = expr(s"try_cast(`${field.name}` AS ${field.dataType.simpleString})")
        val wrong = when(column(field.name).isNotNull && value.isNull, column(field.name))
        Seq(count(wrong), first(wrong, ignoreNulls = true))
      }
      val row = frame.agg(count("*"), counts: _*).first()
      fields.zipWithIndex.collect {
        case (field, index) if row.getLong(2 * index + 1) > 0 =>
          s"column ${field.name}: expected ${sql(field.dataType)}, found '${row.getString(2 * index + 2)}' " +
            s"(in ${row.getLong(2 * index + 1)} of ${row.getLong(0)} rows)"
      }
    }
[%- else %]
    frame
  }
[%- endif %]

  /** What Spark says of a file that it cannot read or write, without the stack traces. None: the error is another one. */
  def storageProblem(error: Throwable, what: String): Option[String] = {
    val causes = Iterator.iterate(error)(_.getCause).takeWhile(_ != null).toSeq
    val said = causes.map(each => String.valueOf(each.getMessage).trim.replaceAll("\\s+", " "))
    if (said.head.contains("FAILED_READ_FILE")) Some(said.mkString(": "))
    else if (causes.last.getClass.getName.matches("(java\\.(io|net|nio)|org\\.apache\\.hadoop)\\..*")) Some(s"$what: ${said.last}")
    else None
  }

  /** The measures asked for, or every numeric column that is no group. */
  def measuresOf(frame: DataFrame, groupBy: Seq[String], wanted: Seq[String]): Seq[String] = {
    val missing = (groupBy ++ wanted).filterNot(frame.columns.contains)
    if (missing.nonEmpty)
      throw new DataProblem(s"no column ${missing.mkString(", ")}; there are: ${frame.columns.mkString(", ")}")
    val numeric = frame.schema.filter(_.dataType.isInstanceOf[NumericType]).map(_.name)
    val text = wanted.filterNot(numeric.contains)
    if (text.nonEmpty) {
      val there = if (numeric.isEmpty) "none" else numeric.mkString(", ")
      throw new DataProblem(s"not numeric: ${text.mkString(", ")}; numeric are: $there")
    }
    if (wanted.nonEmpty) wanted else numeric.filterNot(groupBy.contains)
  }

  def summarize(frame: DataFrame, groupBy: Seq[String], measures: Seq[String]): DataFrame = {
    val groups = groupBy.map(column)
    val means = measures.map(name => mean(column(name)).as(s"mean_$name"))
    val summary = frame.groupBy(groups: _*).agg(count("*").as("rows"), means: _*)
    if (groups.isEmpty) summary else summary.sort(groups: _*)
  }

[% if input == 'table' %]  /**
   * Puts the summary in place of this partition of the table, which is created if it is missing. Spark stages the files and swaps
   * them in when all are written; the other partitions stay as they are. An unpartitioned table is replaced as a whole.
   */
  def writePartition(spark: SparkSession, summary: DataFrame, table: String, partition: Seq[Level]): Unit = {
    val rows = withLevels(summary, partition)
    val name = inMetastore(table)
    if (!spark.catalog.tableExists(name))
      rows.limit(0).write.format("parquet").partitionBy(partition.map(_.name): _*).saveAsTable(name)
    val there = spark.table(name).columns
    if (there.map(_.toLowerCase).toSeq != rows.columns.map(_.toLowerCase).toSeq)
      throw new DataProblem(
        s"the table $table has the columns ${there.mkString(", ")}, and this job writes ${rows.columns.mkString(", ")}: " +
          "rename or drop the table, and summarize its partitions again")
    rows.coalesce(1).write.mode("overwrite").insertInto(name)
  }
[% else %]  /**
   * Puts the summary in place of this partition. Spark stages the files and swaps them in when all are written; the other
   * partitions stay as they are. An unpartitioned table is replaced as a whole.
   */
  def writePartition(summary: DataFrame, path: String, partition: Seq[Level]): Unit =
    withLevels(summary, partition)
      .coalesce(1)
      .write
      .partitionBy(partition.map(_.name): _*)
      .option("partitionOverwriteMode", "dynamic")
      .mode("overwrite")
      .parquet(path)
[% endif %]
  private def withLevels(summary: DataFrame, partition: Seq[Level]): DataFrame =
    partition.foldLeft(summary)((frame, level) => frame.withColumn(level.name, lit(level.value)))
}

/** The data, or an argument, is not what this job needs; the text says what is wrong. */
final class DataProblem(text: String) extends Exception(text)

/** One level of a partition: `yyyymm=202401`. */
final case class Level(name: String, value: String) {

  /** Its folder. Hive and Spark write a colon in its name as %3A; of the other characters of a level they escape none. */
  def path: String = name + "=" + value.replace(":", "%3A")
}

object Level {
  private val Form = """(\w+)=([\w.:+ -]+)""".r

  /** Reads `name=value`. Spark would take `*` or `{` in a path as a pattern, and `/` as a folder. */
  def parse(text: String): Level = text match {
    case Form(name, value) => Level(name, value)
    case _ => throw new DataProblem(s"--partition: '$text' is not level=value of plain characters")
  }
}

/**
 * @param table db.table
 * @param partition outermost level first
 * @param groupBy none: all rows are one group
 * @param measures none: all numeric columns
 * @param schema the columns that the input must have: city STRING, amount DOUBLE
 */
final case class Arguments(
    table: String,
    partition: Seq[Level] = Nil,
    groupBy: Seq[String] = Nil,
    measures: Seq[String] = Nil,
    schema: Option[String] = None)

object Arguments {
  private val Usage =
    "--table DB.TABLE [--partition LEVEL=VALUE …] [--group-by COLUMN …] [--measure COLUMN …] [--schema COLUMNS]"

  def parse(args: List[String]): Arguments = {
    val read = rest(args, Arguments(table = ""))
    if (read.table.isEmpty) throw new DataProblem(s"--table is missing. Arguments: $Usage")
    read
  }

  @tailrec
  private def rest(args: List[String], so: Arguments): Arguments = args match {
    case Nil => so
    case "--table" :: value :: more => rest(more, so.copy(table = value))
    case "--partition" :: value :: more => rest(more, so.copy(partition = so.partition :+ Level.parse(value)))
    case "--group-by" :: value :: more => rest(more, so.copy(groupBy = so.groupBy :+ value))
    case "--measure" :: value :: more => rest(more, so.copy(measures = so.measures :+ value))
    case "--schema" :: value :: more => rest(more, so.copy(schema = Some(value)))
    case other :: _ => throw new DataProblem(s"'$other' is no argument, or has no value. Arguments: $Usage")
  }
}
