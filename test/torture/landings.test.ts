import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { KafkaRecord } from '../../src/kafka/port.ts';
import { Landings } from './landings.ts';

const FIRST = 1_700_000_010;

function event(execDate: number, offset: bigint, part = 'a'): KafkaRecord {
  const partition = [{ name: 'part', value: part }];
  const value = { db: 'h1', table: 'landed', partition, method: 'partition', exec_date: String(execDate) };
  const place = { topic: 'frontier-adw', partition: 0, offset, timestamp: 0 };
  return { ...place, key: null, value: Buffer.from(JSON.stringify(value)), headers: {} };
}

it('the judge of the crash test finds what is announced twice, never, or wrongly', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hippo-landings-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const landings = new Landings(directory, 'h1', 1);
  await landings.begin();
  const judged = (...records: KafkaRecord[]): string[] => landings.judge(records).violations;
  expect(judged(event(FIRST, 0n))).toEqual([]);
  expect(judged()).toEqual([`part=a landed at ${FIRST}, and its last event is of -Infinity`]);
  expect(judged(event(FIRST, 0n), event(FIRST, 1n))).toEqual([
    `part=a @${FIRST} was announced twice, at 0:0 and 0:1`,
  ]);
  expect(judged(event(FIRST, 0n), event(FIRST + 1, 1n))).toContain(
    `part=a has an event of ${FIRST + 1}, when nothing landed`,
  );
  expect(judged(event(FIRST, 0n), event(FIRST - 1, 1n))).toContain(
    `part=a: ${FIRST - 1} at 0:1 comes after ${FIRST}`,
  );
  expect(judged(event(FIRST, 0n), event(FIRST, 1n, 'b'))).toEqual([
    `part=b has an event of ${FIRST}, when nothing landed`,
  ]);
});
