import { expect } from 'vitest';
import { parseConfig } from '../../src/config/schema.ts';
import { pullRuns } from '../../src/tractor/pull.ts';
import type { Outcome, Stuck } from '../../src/tractor/recovery.ts';
import { testKafka } from '../support/kafka.ts';
import { MONTHLY, test, trigger } from '../support/project.ts';

test('a request that the hippo refuses is an outcome at once, with the reason', async ({ makeProject }) => {
  const project = await makeProject(MONTHLY, 'sleep 300');
  const client = project.startClient();
  await client.event('owner');
  await trigger(project, '201704');
  await client.event('submitted');
  const stuck = (job: string, key: string): Stuck => ({
    recovery: 'rerun-failed-run',
    hippo: project.name,
    job,
    run_key: key,
    what: '',
    why: '',
    notes: [],
    cause: null,
    command: '',
    since: '',
    pull: true,
    events: [],
  });
  const seen: Outcome[] = [];
  const outcomes = await pullRuns([stuck('load', '201704'), stuck('load', '2017'), stuck('gone', '201704')], {
    kafka: await testKafka(),
    config: parseConfig({ topics: { prefix: project.prefix } }),
    by: 'ann',
    reason: null,
    timeout: 3_600_000,
    signal: new AbortController().signal,
    onOutcome: (outcome) => seen.push(outcome),
  });
  expect(outcomes.map(({ result, error }) => `${result}: ${error ?? ''}`)).toEqual([
    'refused: it is running already',
    `refused: job load runs every month now, and has no run 2017`,
    `refused: job gone is no longer in hippo.yaml of ${project.name}`,
  ]);
  expect(seen).toHaveLength(3);
});
