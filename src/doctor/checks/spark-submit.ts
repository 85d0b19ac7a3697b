import type { Spark } from '../../stack/spark.ts';
import { type Check, ok, warning } from '../check.ts';
import { atLeast, versionIn } from '../../core/environment/index.ts';

const SOURCES: Record<Spark['source'], string> = {
  SPARK_SUBMIT: '$SPARK_SUBMIT',
  SPARK_HOME: '$SPARK_HOME',
  PATH: 'PATH',
  cache: "hippo's cache",
};

/** The Spark that start-spark.sh uses, and where it comes from. */
export const sparkSubmit: Check = {
  id: 'spark-submit',
  title: 'Spark',
  category: 'tools',
  about: "SPARK_SUBMIT's, SPARK_HOME's, PATH's or hippo's own",
  // If no jar name has the version, spark-submit must tell it, which starts a JVM.
  timeLimit: 35_000,
  async run({ env }) {
    const { findSpark } = await import('../../stack/spark.ts');
    const spark = await findSpark(env);
    if (spark === null) {
      return {
        summary: 'not found',
        findings: [
          warning("No Spark: no SPARK_HOME, no spark-submit on PATH, none in hippo's cache", {
            commands: ['hippo up'],
            text: 'The local stack fetches one:',
          }),
        ],
      };
    }
    const { sparkSubmit: path, version, source } = spark;
    const summary = `${version}, from ${SOURCES[source]}`;
    const number = versionIn(version);
    if (number !== undefined && !atLeast(number, [3])) {
      const text = `${path} is Spark ${version}; the templates are written for 3 and later`;
      return {
        summary,
        findings: [warning(text, { commands: ['hippo up'], text: 'The local stack fetches one:' })],
      };
    }
    return { summary, findings: [ok(path)] };
  },
};
