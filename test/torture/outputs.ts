/** What the tortured jobs produce: each output of each success exactly one event, of the transaction of its finish message. */
import type { KafkaRecord } from '../../src/kafka/port.ts';
import {
  type FrontierEvent,
  type JobFinish,
  parseFrontier,
  partitionPath,
  producedBy,
} from '../../src/messages/index.ts';

/** By job: its outputs as hippo.yaml has them, and the partition of each that a finish stands for. */
interface Output {
  yaml: string;
  table: string;
  partitionOf: (finish: JobFinish) => string;
}

const ofRun = (finish: JobFinish): string => partitionPath([{ name: 'run', value: finish.runKey ?? '' }]);

export const OUTPUTS: Readonly<Record<string, readonly Output[]>> = {
  // Its runs end in the same second, and share a partition.
  each: [
    {
      yaml: '{ table: DB.each_run, partition: { run: "{{ key }}" } }',
      table: 'each_run',
      partitionOf: ofRun,
    },
    { yaml: '{ table: DB.shared }', table: 'shared', partitionOf: () => '' },
  ],
  both: [{ yaml: '{ table: DB.shared }', table: 'shared', partitionOf: () => '' }],
  daily: [
    {
      yaml: `{ table: DB.days, partition: { yyyymmdd: "{{ window | date: '%Y%m%d' }}" }, dialect: arrays }`,
      table: 'days',
      partitionOf: ({ runKey = '' }) => `yyyymmdd=${runKey.replaceAll('-', '')}`,
    },
  ],
  // Its result is written by the attempt that succeeds.
  flaky: [
    {
      yaml: '{ table: DB.flaky_out, partition: { done: "{{ result.done }}" } }',
      table: 'flaky_out',
      partitionOf: () => 'done=7',
    },
  ],
  broken: [{ yaml: '{ table: DB.none }', table: 'none', partitionOf: () => '' }],
  fresh: [
    {
      yaml: '{ table: DB.fresh_run, partition: { run: "{{ key }}" } }',
      table: 'fresh_run',
      partitionOf: ofRun,
    },
  ],
};

/**
 * @param records of the frontier topic, each partition's in the order of their offsets
 * @param finishes of the hippo
 */
export function judgeOutputs(
  hippo: string,
  records: readonly KafkaRecord[],
  finishes: readonly JobFinish[],
): { violations: string[]; events: number } {
  const sorted = records.toSorted((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
  const produced = sorted.flatMap(({ value, partition }) => {
    const parsed = value === null ? undefined : parseFrontier(value);
    if (parsed?.ok !== true || producedBy(parsed.message)?.hippoName !== hippo) return [];
    return [{ event: parsed.message, partition }];
  });
  const events = produced.map(({ event }) => event);
  const expected = finishes
    .filter(({ isSuccess }) => isSuccess)
    .flatMap((finish) =>
      (OUTPUTS[finish.jobName] ?? [])
        // Of a run that is marked as done no job has run.
        .filter(({ yaml }) => !('marked_by' in finish.extra && yaml.includes('result.')))
        .map(({ table, partitionOf }) => `${finish.jobId} ${hippo}.${table} ${partitionOf(finish)}`),
    );
  const found = events.map(
    (event) => `${producedBy(event)?.jobId ?? ''} ${event.db}.${event.table} ${pathOf(event)}`,
  );
  const count = (list: readonly string[]): Map<string, number> =>
    new Map([...Map.groupBy(list, (item) => item)].map(([item, { length }]) => [item, length]));
  const [wanted, there] = [count(expected), count(found)];
  const violations = [...new Set([...expected, ...found])].flatMap((item) => {
    const [should, does] = [wanted.get(item) ?? 0, there.get(item) ?? 0];
    return should === does ? [] : [`${item}: ${does} events, and ${should} expected`];
  });
  // Where partitions were added to the topic, each has its own order.
  const last = new Map<string, number>();
  const all = new Set<string>();
  for (const { event, partition } of produced) {
    const what = `${event.db}.${event.table} ${pathOf(event)}`;
    const order = `${partition} ${what}`;
    const landing = `${what} @${event.execDate}`;
    if (event.execDate < (last.get(order) ?? -1) || all.has(landing))
      violations.push(`${what}: the exec_date ${event.execDate} does not rise`);
    last.set(order, event.execDate);
    all.add(landing);
  }
  return { violations, events: events.length };
}

function pathOf({ partitions }: FrontierEvent): string {
  return partitions.map(partitionPath).join(' ');
}
