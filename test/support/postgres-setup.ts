import type { Step } from '../../src/core/steps.ts';
import {
  POSTGRES_VERSION,
  findPostgresPrograms,
  installPostgres,
} from '../../src/stack/postgres/programs.ts';
import { runSteps } from '../../src/ui/steps.ts';

const postgres: Step = {
  title: `fetch PostgreSQL ${POSTGRES_VERSION} (60 MB, once)`,
  async run(_, update) {
    await installPostgres(update);
  },
};

/** vitest's global setup: fetches PostgreSQL where the user's cache lacks it. */
export default async function fetchPostgres(): Promise<void> {
  if ((await findPostgresPrograms()) === null) await runSteps([postgres], undefined);
}
