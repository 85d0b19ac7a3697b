import type { Step } from '../../src/core/steps.ts';
import { findKafka, installKafka, KAFKA_VERSION } from '../../src/stack/distribution.ts';
import { runSteps } from '../../src/ui/steps.ts';

/** vitest's global setup: fetches Kafka where the user's cache lacks it, and shows how that goes. */
export default async function fetchKafka(): Promise<void> {
  if ((await findKafka(process.env)) !== null) return;
  const title = `fetch Kafka ${KAFKA_VERSION} (44 MB, once)`;
  const fetch: Step = {
    title,
    async run(_, update) {
      await installKafka(update);
    },
  };
  await runSteps([fetch], undefined);
}
