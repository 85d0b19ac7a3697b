import type { Step } from '../../src/core/steps.ts';
import { runSteps } from '../../src/ui/steps.ts';
import { HADOOP_VERSION, MOTO_VERSION, hasHdfs, hasMoto, installHdfs, installMoto } from './places.ts';

const moto: Step = {
  title: `fetch moto ${MOTO_VERSION}, a server of S3 (140 MB, once)`,
  run: (_, update) => installMoto(update),
};

const hdfs: Step = {
  title: `fetch HDFS ${HADOOP_VERSION} (65 MB, once)`,
  run: () => installHdfs(),
};

/** vitest's global setup: fetches what sources watch in the tests, where the user's cache lacks it. */
export default async function fetchPlaces(): Promise<void> {
  await runSteps([...(hasMoto() ? [] : [moto]), ...(hasHdfs() ? [] : [hdfs])], undefined);
}
