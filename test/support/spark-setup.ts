import { flightsByMonth, hasFlights } from '../../demo/flights.ts';
import type { Step } from '../../src/core/steps.ts';
import { FETCH_SPARK, findSpark, installSpark } from '../../src/stack/spark.ts';
import { runSteps } from '../../src/ui/steps.ts';

const spark: Step = {
  title: FETCH_SPARK,
  async run(_, update) {
    await installSpark(update);
  },
};

const flights: Step = {
  title: 'fetch the flights of the demo (once)',
  async run() {
    await flightsByMonth();
  },
};

/** vitest's global setup: fetches Spark and the demo's data where the user's cache lacks them, and shows how that goes. */
export default async function fetchSpark(): Promise<void> {
  const missing = [
    ...((await findSpark(process.env)) === null ? [spark] : []),
    ...(hasFlights() ? [] : [flights]),
  ];
  await runSteps(missing, undefined);
}
