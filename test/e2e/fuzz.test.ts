import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { readInput } from '../../src/client/host/inputs.ts';
import type { KafkaRecord } from '../../src/kafka/port.ts';
import { readAll, testKafka } from '../support/kafka.ts';
import { type TestProject, test, trigger, until } from '../support/project.ts';
import { type Fuzzed, fuzz } from '../torture/fuzz.ts';

const MESSAGES = 4_000;
const SEED = Number(process.env['HIPPO_FUZZ_SEED'] ?? 1);
/** Below Kafka's limit of a record, and ours for a dead letter, which is then the whole message. */
const LARGEST = 900_000;

/** Fuzzed events are remembered and never enough; fuzzed requests run the job with what they say. */
const JOBS = `fuzzed:
  needs: [{ table: fuzz.events }, { table: fuzz.never }]
  run: ./job.sh
  args: ['{{ key }}', '--part={{ partition.part }}']
  concurrency: 3
load:
  every: month
  needs: [{ table: btd.party, partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }]
  run: ./job.sh`;

const ROLES = { frontier: 'frontier-adw', finish: 'hippo-finish', schedule: 'hippo-schedule' } as const;

/** A message that was sent, as the client gets it. */
interface Sent {
  kind: Fuzzed['kind'];
  record: KafkaRecord;
}

async function sendFuzz(project: TestProject, kafka: Awaited<ReturnType<typeof testKafka>>): Promise<Sent[]> {
  const producer = await kafka.producer();
  const small = [...fuzz(SEED, MESSAGES, project.name)].filter(({ value }) => (value?.length ?? 0) < LARGEST);
  const sent: Sent[] = [];
  for (let at = 0; at < small.length; at += 100) {
    const batch = small.slice(at, at + 100).map(async ({ kind, ...record }) => {
      const topic = `${project.prefix}${ROLES[kind]}`;
      const [place] = await producer.send([{ topic, ...record }]);
      if (place === undefined) throw new Error('nothing was sent');
      sent.push({ kind, record: { ...record, ...place, timestamp: 0 } });
    });
    await Promise.all(batch);
  }
  await producer.close();
  return sent;
}

const placeOf = ({ topic, partition, offset }: Pick<KafkaRecord, 'topic' | 'partition' | 'offset'>): string =>
  `${topic} ${partition} ${offset}`;

/** A dead letter, as what was rejected: where it came from, why, and its bytes. */
function original({ key, value, headers }: KafkaRecord) {
  const of = (name: string): string => headers[`dlq.${name}`]?.toString() ?? '';
  const others = Object.entries(headers).filter(([name]) => !name.startsWith('dlq.'));
  return {
    place: `${of('topic')} ${of('partition')} ${of('offset')}`,
    reason: of('reason'),
    key,
    value,
    others,
  };
}

describe(`${MESSAGES} damaged messages, seed ${SEED}`, () => {
  test('each is taken in or in a dead-letter topic, whole and with its reason; the next event is served', async ({
    makeProject,
  }) => {
    const project = await makeProject(JOBS, 'exit 0', 'client: { session_timeout: 6s, http: { port: 0 } }');
    const kafka = await testKafka();
    const client = project.startClient();
    await client.event('owner');
    const sent = await sendFuzz(project, kafka);
    const { exitCode, stdout } = await trigger(project, '201704', '--wait');
    expect(exitCode, stdout).toBe(0);

    const { http } = await client.event('started');
    const metrics = async (): Promise<string> => (await fetch(`http://${http ?? ''}/metrics`)).text();
    await until(async () => {
      const lags = [...(await metrics()).matchAll(/^hippo_input_lag\{.*\} (\d+)$/gm)].map(([, lag]) => lag);
      return lags.length >= 9 && lags.every((lag) => lag === '0');
    }, 'all of it is read');

    const rejected = sent.flatMap(({ kind, record }) => {
      const input = readInput(kind, record);
      const others = Object.entries(record.headers).filter(([name]) => !name.startsWith('dlq.'));
      const { key, value } = record;
      return input.ok ? [] : [{ place: placeOf(record), reason: input.rejection.reason, key, value, others }];
    });
    const byPlace = (a: { place: string }, b: { place: string }) => (a.place < b.place ? -1 : 1);
    const letters = await Promise.all(
      Object.values(ROLES).map((topic) => readAll(kafka, `${project.prefix}${topic}.dlq`)),
    );
    expect(letters.flat().map(original).sort(byPlace)).toEqual(rejected.sort(byPlace));
    expect(client.events.filter(({ event }) => event === 'rejected')).toHaveLength(rejected.length);
    // Both are common: neither is what comes of everything.
    for (const count of [rejected.length, sent.length - rejected.length])
      expect(count).toBeGreaterThan(MESSAGES / 10);

    // Some asked for a run, and no shell has read what they said.
    const fuzzed = client.events.filter((each) => each.event === 'finished' && each.job === 'fuzzed');
    expect(fuzzed.length).toBeGreaterThan(10);
    await expect(access(join(project.directory, 'pwned'))).rejects.toThrow('ENOENT');
    expect(client.events.filter(({ event }) => event === 'disconnected' || event === 'lost')).toEqual([]);
    client.kill('SIGTERM');
    expect(await client.ended).toMatchObject({ exitCode: 0, stderr: '' });
  });
});
