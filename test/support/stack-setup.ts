import { flightsByMonth, hasFlights } from '../../demo/flights.ts';
import type { Step } from '../../src/core/steps.ts';
import { findKafka, installKafka, KAFKA_VERSION } from '../../src/stack/distribution.ts';
import { findSpark, installSpark, SPARK_VERSION } from '../../src/stack/spark.ts';
import { runSteps } from '../../src/ui/steps.ts';

/** vitest's global setup: fetches what the tests need and the user's cache lacks, and shows how that goes. */
export default async function fetchStack(): Promise<void> {
  const { env } = process;
  const [kafka, spark] = await Promise.all([findKafka(env), findSpark(env)]);
  const missing: [
    is: boolean,
    title: string,
    fetch: (update: (detail: string) => void) => Promise<unknown>,
  ][] = [
    [kafka === null, `fetch Kafka ${KAFKA_VERSION} (44 MB, once)`, installKafka],
    [spark === null, `fetch Spark ${SPARK_VERSION} (455 MB, once)`, installSpark],
    [!hasFlights(), 'fetch the flights of the demo (once)', flightsByMonth],
  ];
  const steps = missing.flatMap(([is, title, fetch]): Step[] =>
    is
      ? [
          {
            title,
            async run(_, update) {
              await fetch(update);
            },
          },
        ]
      : [],
  );
  await runSteps(steps, undefined);
}
