/** A writer of partitions that a folder source of the hippo watches, and what its events must say of them. */
import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { KafkaRecord } from '../../src/kafka/port.ts';
import { parseFrontier, partitionPath } from '../../src/messages/index.ts';

/** What the writer does next, drawn from the seed. */
interface Deed {
  deed: 'write' | 'rename' | 'remove';
  /** Which of the partitions, and to which name. */
  of: number;
  to: number;
  /** Between the files of a partition and its marker, milliseconds. */
  working: number;
  /** After it, milliseconds. */
  rest: number;
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
/** Enough for the longest round. */
const DEEDS = 2_000;
/** The time of the first landing, epoch seconds: long ago, so that no clock of a client is before it. */
const FIRST = 1_700_000_000;
/** Between the times of two landings, seconds: an exec_date that was moved on by one is not the next landing's. */
const APART = 10;

const deeds = fc.array(
  fc.record<Deed>({
    deed: fc.oneof(
      { weight: 5, arbitrary: fc.constant('write' as const) },
      { weight: 2, arbitrary: fc.constant('rename' as const) },
      { weight: 1, arbitrary: fc.constant('remove' as const) },
    ),
    of: fc.nat(),
    to: fc.nat(),
    working: fc.integer({ min: 0, max: 100 }),
    rest: fc.integer({ min: 0, max: 600 }),
  }),
  { minLength: DEEDS, maxLength: DEEDS },
);

export class Landings {
  readonly table: string;
  readonly #folder: string;
  readonly #deeds: readonly Deed[];
  /** Of each partition, the times of all of its landings in their order: epoch seconds. */
  readonly #times = new Map<string, number[]>();
  readonly #present = new Set<string>();
  #last = 0;

  /** @param directory the project's */
  constructor(directory: string, hippo: string, seed: number) {
    this.table = `${hippo}.landed`;
    this.#folder = join(directory, 'landing');
    this.#deeds = fc.sample(deeds, { seed, numRuns: 1 })[0] ?? [];
  }

  /** The section `sources` of hippo.yaml. */
  get sources(): object {
    const settings = { folder: 'landing', levels: 'part=*', complete: '_SUCCESS', every: '300ms' };
    return { landed: { table: this.table, ...settings } };
  }

  /** How often something has landed. */
  get count(): number {
    return [...this.#times.values()].flat().length;
  }

  /** Before a client starts: a folder that is not there is away. */
  async begin(): Promise<void> {
    await mkdir(this.#folder);
    await this.#write('a', 0);
  }

  /** Until it is told to stop. What is there then is complete. */
  async goOn(stop: AbortSignal): Promise<void> {
    for (const { deed, of, to, working, rest } of this.#deeds) {
      if (stop.aborted) return;
      const present = [...this.#present].sort();
      const one = present[of % present.length] ?? 'a';
      if (deed === 'write') await this.#write(NAMES[of % NAMES.length] ?? 'a', working);
      else if (deed === 'rename') await this.#rename(one, to);
      else if (present.length > 1) await this.#remove(one);
      await sleep(rest, undefined, { signal: stop }).catch(() => undefined);
    }
  }

  /** Writes a partition, or writes it again: first its files, then its marker. */
  async #write(name: string, working: number): Promise<void> {
    const folder = this.#path(name);
    await mkdir(folder, { recursive: true });
    await rm(join(folder, '_SUCCESS'), { force: true });
    await writeFile(join(folder, 'part-0'), String(this.#last));
    await sleep(working);
    const time = FIRST + (this.#last += 1) * APART;
    const marker = join(folder, '.marker');
    await writeFile(marker, '');
    await utimes(marker, time, time);
    this.#lands(name, time);
    await rename(marker, join(folder, '_SUCCESS'));
  }

  /** To a name that has no landing of a later time: its event would be given another time. */
  async #rename(from: string, to: number): Promise<void> {
    const time = this.#times.get(from)?.at(-1) ?? 0;
    const free = NAMES.filter(
      (name) => !this.#present.has(name) && (this.#times.get(name)?.at(-1) ?? 0) < time,
    );
    const name = free[to % free.length];
    if (name === undefined) return;
    this.#lands(name, time);
    this.#present.delete(from);
    await rename(this.#path(from), this.#path(name));
  }

  async #remove(name: string): Promise<void> {
    this.#present.delete(name);
    await rm(this.#path(name), { recursive: true });
  }

  #lands(name: string, time: number): void {
    this.#present.add(name);
    this.#times.set(name, [...(this.#times.get(name) ?? []), time]);
  }

  #path(name: string): string {
    return join(this.#folder, `part=${name}`);
  }

  /**
   * What is wrong with the events. Each landing has one event at most: one that was replaced before a scan has none. What is there at the end has
   * one, and it is the last of its partition. exec_date grows.
   *
   * @param records the committed ones of the frontier topic
   */
  judge(records: readonly KafkaRecord[]): { violations: string[]; events: number } {
    const events = new Map<string, { execDate: number; at: string }[]>();
    for (const record of records) {
      const parsed = record.value === null ? undefined : parseFrontier(record.value);
      if (parsed?.ok !== true) continue;
      const { db, table, partitions, execDate } = parsed.message;
      if (`${db}.${table}` !== this.table) continue;
      const path = partitionPath(partitions[0] ?? []);
      const at = `${record.partition}:${record.offset}`;
      events.set(path, [...(events.get(path) ?? []), { execDate, at }]);
    }
    const violations = [...events].flatMap(([path, announced]) => this.#judgePartition(path, announced));
    for (const name of this.#present) {
      const time = this.#times.get(name)?.at(-1);
      const last = Math.max(...(events.get(`part=${name}`) ?? []).map(({ execDate }) => execDate));
      if (time !== last) violations.push(`part=${name} landed at ${time}, and its last event is of ${last}`);
    }
    return { violations, events: [...events.values()].flat().length };
  }

  #judgePartition(path: string, announced: readonly { execDate: number; at: string }[]): string[] {
    const times = new Set(this.#times.get(path.replace(/^part=/, '')));
    const violations: string[] = [];
    const seen = new Map<number, string>();
    for (const { execDate, at } of announced) {
      const before = seen.get(execDate);
      if (before !== undefined)
        violations.push(`${path} @${execDate} was announced twice, at ${before} and ${at}`);
      if (!times.has(execDate)) violations.push(`${path} has an event of ${execDate}, when nothing landed`);
      seen.set(execDate, at);
    }
    // Where a partition was added to the topic, two events of a table may be in two of them.
    for (const [index, { execDate, at }] of announced.entries()) {
      const former = announced
        .slice(0, index)
        .findLast((other) => other.at.split(':')[0] === at.split(':')[0]);
      if (former !== undefined && former.execDate > execDate)
        violations.push(`${path}: ${execDate} at ${at} comes after ${former.execDate}`);
    }
    return violations;
  }
}
