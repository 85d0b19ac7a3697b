import type { Step } from '../../src/core/steps.ts';
import { runSteps } from '../../src/ui/steps.ts';
import { POSTGRES_VERSION, hasPostgres, installPostgres } from './places.ts';

const postgres: Step = {
  title: `fetch PostgreSQL ${POSTGRES_VERSION} (60 MB, once)`,
  run: () => installPostgres(),
};

/** vitest's global setup: fetches PostgreSQL where the user's cache lacks it. */
export default async function fetchPostgres(): Promise<void> {
  if (!hasPostgres()) await runSteps([postgres], undefined);
}
