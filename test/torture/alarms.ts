/** What raises alerts in the crash test: windows for which nothing lands, runs that fail until they are mended, a long pause. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import type { OutgoingRecord } from '../../src/kafka/port.ts';
import { type Answer, type HttpReceiver, httpReceiver } from '../alerts/http-receiver.ts';
import type { Taken } from './alerts.ts';
import type { Topics } from './world.ts';

/** When something lands for a window. */
type Landing =
  /** Before the clients of the round start: a backlog, for windows that are over and for some that are not. */
  | 'early'
  /** With the other messages, as they come. */
  | 'any time'
  /** When its window is alerted to be absent. */
  | 'late';

const FIVE_MINUTES = 300_000;
/** Of the window that is the present one when the round begins it is the how many-eth after or before. A round is shorter than these. */
const WINDOWS: readonly (readonly [number, Landing])[] = [
  [-4, 'late'],
  [-3, 'any time'],
  [-2, 'early'],
  [-1, 'late'],
  ...([0, 1, 2, 3, 4] as const).map((later) => [later, 'early'] as const),
];
/** The job whose windows they are, those whose runs fail until they are mended, and one that is paused. */
const JOB = { windows: 'minutes', mended: 'mended', paused: 'resting' } as const;
/** `a` is mended by hand and `b` by landing again, while clients are ended; `c` when its failure has been alerted. */
const MENDED = ['a', 'b', 'c'] as const;
/** Epoch seconds of the first landing. */
const LANDED = 1_750_000_000;
/** Enough for the longest round. */
const MOST_ANSWERS = 2_000;

export interface AlarmedMessage {
  record: OutgoingRecord;
  once: boolean;
}

export class Alarms {
  /** Where windows are, else there are neither absent windows nor a long pause: that takes a clock that can be moved. */
  readonly hasWindows: boolean;
  readonly #hippo: string;
  readonly #topics: Topics;
  readonly #receiver: HttpReceiver;
  readonly #taken: Taken[] = [];
  /** Where the window begins that is the present one when the round begins. */
  readonly #present = Math.floor(Date.now() / FIVE_MINUTES) * FIVE_MINUTES;

  private constructor(hippo: string, topics: Topics, receiver: HttpReceiver, hasWindows: boolean) {
    this.#hippo = hippo;
    this.#topics = topics;
    this.#receiver = receiver;
    this.hasWindows = hasWindows;
  }

  static async make(hippo: string, topics: Topics, seed: number, hasWindows: boolean): Promise<Alarms> {
    const receiver = await httpReceiver();
    const alarms = new Alarms(hippo, topics, receiver, hasWindows);
    const answers = answersOf(seed);
    let number = 0;
    receiver.answer = ({ body }) => {
      const answer = answers[number] ?? TAKES;
      number += 1;
      if (answer === TAKES) alarms.#take(body);
      return answer;
    };
    return alarms;
  }

  #take(body: string): void {
    const { alerts } = JSON.parse(body) as { alerts: Taken[] };
    this.#taken.push(...alerts.map(({ id, state }) => ({ id, state })));
  }

  /** What the receiver has said that it takes. */
  get taken(): readonly Taken[] {
    return this.#taken;
  }

  /** From now on it takes all. */
  heal(): void {
    this.#receiver.answer = ({ body }) => {
      this.#take(body);
      return TAKES;
    };
  }

  close(): PromiseLike<void> {
    return this.#receiver[Symbol.asyncDispose]();
  }

  /** The section `alerts` of hippo.yaml. */
  get alerts(): object {
    const hook = { webhook: { url: this.#receiver.url, timeout: '1s' }, rate: '1000/h' };
    return { receivers: { hook }, group_wait: '100ms', paused_after: '10m' };
  }

  /** Of the jobs those that this hippo has. */
  has(job: string): boolean {
    return job === JOB.mended || this.hasWindows;
  }

  /** The wall clock of the client that owns the hippo first: it then expects the windows from the first one on. */
  get firstClock(): string {
    const first = this.#present + (WINDOWS[0]?.[0] ?? 0) * FIVE_MINUTES;
    // A client that is slow to start is early enough.
    return `-${Math.ceil((Date.now() - first) / 1_000) + 120}`;
  }

  /** Paused by the first client, for longer than `paused_after` when the next one comes. */
  get pause(): OutgoingRecord {
    return this.#asks(JOB.paused, { action: 'pause' });
  }

  /** Jobs that are paused. */
  get paused(): ReadonlySet<string> {
    return new Set(this.hasWindows ? [JOB.paused] : []);
  }

  /** The job whose windows are expected. */
  get expecting(): string {
    return JOB.windows;
  }

  /** As `<job> <run key>`. */
  runs(landing?: Landing): string[] {
    return this.#windows(landing).map((start) => `${JOB.windows} ${minuteOf(start)}+5m`);
  }

  /** Runs that fail for good before they succeed. */
  get mended(): string[] {
    return MENDED.map((part) => `${JOB.mended} part=${part}`);
  }

  landings(landing: Landing): OutgoingRecord[] {
    return this.#windows(landing).map((start) => this.#lands('five', 'minute', minuteOf(start)));
  }

  #windows(landing?: Landing): number[] {
    if (!this.hasWindows) return [];
    return WINDOWS.filter(([, when]) => landing === undefined || when === landing).map(
      ([number]) => this.#present + number * FIVE_MINUTES,
    );
  }

  /** What comes with the other messages, at any time. */
  get messages(): AlarmedMessage[] {
    const failing = MENDED.map((part) => this.#lands('mended', 'part', part));
    return [...failing, ...this.landings('any time')].map((record) => ({ record, once: false }));
  }

  /** What mends the first ones, and has them run again. @param directory the project's */
  async mend(directory: string): Promise<OutgoingRecord[]> {
    await this.#repair(directory, ['a', 'b']);
    return [this.#asks(JOB.mended, { run_key: 'part=a' }), this.#lands('mended', 'part', 'b', 1)];
  }

  /**
   * What ends all that is left: windows land, the job is resumed, runs that have failed are run again.
   *
   * @param failed those whose last finish is a failure, as `<job> <run key>`
   */
  async settle(directory: string, failed: ReadonlySet<string>): Promise<OutgoingRecord[]> {
    await this.#repair(directory, MENDED);
    const again = MENDED.filter((part) => failed.has(`${JOB.mended} part=${part}`));
    return [
      ...this.landings('late'),
      ...(this.hasWindows ? [this.#asks(JOB.paused, { action: 'resume' })] : []),
      ...again.map((part) => this.#asks(JOB.mended, { run_key: `part=${part}` })),
    ];
  }

  async #repair(directory: string, parts: readonly string[]): Promise<void> {
    for (const part of parts) await writeFile(join(directory, `mended part=${part}`), '');
  }

  #lands(table: string, name: string, value: string, version = 0): OutgoingRecord {
    const event = {
      ...{ table, db: this.#hippo, partition: [{ name, value }], method: 'partition' },
      exec_date: String(LANDED + version),
    };
    return { topic: this.#topics.of('frontier'), key: this.#hippo, value: JSON.stringify(event) };
  }

  #asks(job: string, action: object): OutgoingRecord {
    const request = { hippo_name: this.#hippo, job_name: job, by: 'torture', ...action };
    return { topic: this.#topics.of('schedule'), key: this.#hippo, value: JSON.stringify(request) };
  }
}

const TAKES = { status: 200 };

function answersOf(seed: number): Answer[] {
  const answer = fc.oneof(
    { weight: 5, arbitrary: fc.constant<Answer>(TAKES) },
    { weight: 1, arbitrary: fc.constant<Answer>({ status: 503 }) },
    { weight: 1, arbitrary: fc.constant<Answer>('hang') },
  );
  const answers = fc.array(answer, { minLength: MOST_ANSWERS, maxLength: MOST_ANSWERS });
  return fc.sample(answers, { seed, numRuns: 1 })[0] ?? [];
}

/** `2017-04-28T05:15` */
function minuteOf(start: number): string {
  return new Date(start).toISOString().slice(0, 16);
}
