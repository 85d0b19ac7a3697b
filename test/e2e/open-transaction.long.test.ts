import { expect } from 'vitest';
import type { DoctorReport } from '../../src/doctor/runner.ts';
import { holdUpsIn, openOtherTransaction } from '../support/other-transaction.ts';
import { MONTHLY, test, until } from '../support/project.ts';

// A transaction in flight is normal: the doctor is silent for half a minute.
test('hippo doctor names a transaction of another program that has been open for half a minute', async ({
  makeProject,
}) => {
  const project = await makeProject(MONTHLY);
  const other = await openOtherTransaction(project);
  const doctor = async (): Promise<string[]> => {
    const { stdout } = await project.hippo(['doctor', 'topics', '--json']);
    const { checks } = JSON.parse(stdout) as DoctorReport;
    return checks.flatMap(({ findings }) =>
      findings.flatMap(({ status, text }) =>
        status === 'warning' ? holdUpsIn(text).map(([all]) => all) : [],
      ),
    );
  };
  try {
    await until(async () => (await doctor()).length === other.partitions, 'doctor names each partition');
    expect(Date.now() - other.begun).toBeGreaterThan(29_000);
    await other.commit();
    expect(await doctor()).toEqual([]);
  } finally {
    await other.close();
  }
});
