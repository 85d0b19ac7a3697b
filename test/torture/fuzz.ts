/** Damaged messages, each made from a good one; the same seed gives the same messages. */
import type { COMMON_INPUTS } from '../../src/config/topics.ts';

type InputRole = (typeof COMMON_INPUTS)[number];

export interface Fuzzed {
  kind: InputRole;
  value: Buffer | null;
  key: Buffer | null;
  headers: Record<string, Buffer>;
}

/** What a shell, a terminal, a parser or an object could take for something else. */
const NASTY = [
  '$(touch pwned)',
  '`touch pwned`',
  "'; touch pwned; '",
  '"; touch pwned; "',
  '| touch pwned',
  '&& touch pwned',
  '> pwned',
  '--conf=spark.x=y',
  '-rf',
  '-',
  '--',
  '../../../etc/passwd',
  '/',
  '..',
  '.',
  '%2e%2e%2f',
  '~root',
  '*',
  '$HOME',
  '${HOME}',
  '{{ key }}',
  '{% raw %}',
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\n',
  'a\r\nb',
  '\u001b[31mred',
  '\u202eevil',
  '\ud800',
  '\ufeff',
  '\u{1f99b}',
  '名前',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'null',
  'NaN',
  '1e400',
  '-0',
  '0x10',
  '201704',
  '2017-04-31',
  '9'.repeat(40),
  'x'.repeat(800),
  '%'.repeat(400),
  '='.repeat(10),
  'a/b/c',
];
const WRONG_TYPES = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  253_402_300_800,
  [],
  [[]],
  {},
  { a: 1 },
  [null],
  ['a', 1],
];

/** A generator of numbers (mulberry32): fast, and the same on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param hippo whose job the messages concern, where a fuzz has left that whole */
export function* fuzz(seed: number, count: number, hippo: string): Generator<Fuzzed> {
  const source = new Source(seed, hippo);
  for (let index = 0; index < count; index += 1) yield source.message();
}

type Fields = Record<string, unknown>;

class Source {
  readonly #random: () => number;
  readonly #hippo: string;

  constructor(seed: number, hippo: string) {
    this.#random = randomFrom(seed);
    this.#hippo = hippo;
  }

  message(): Fuzzed {
    const kind = this.#pick<InputRole>(['frontier', 'frontier', 'frontier', 'finish', 'schedule']);
    const value = this.#chance(0.002) ? null : this.#damaged(Buffer.from(this.#text(this.#fields(kind))));
    return {
      kind,
      value,
      key: this.#chance(0.3) ? null : this.#bytes(this.#chance(0.001) ? 300_000 : 20),
      headers: this.#chance(0.8) ? {} : this.#headers(),
    };
  }

  #fields(kind: InputRole): Fields {
    const fields = this.#good(kind);
    for (let damage = this.#below(3); damage > 0; damage -= 1) this.#spoil(fields);
    return fields;
  }

  #good(kind: InputRole): Fields {
    const { word } = this.#words();
    if (kind === 'schedule') {
      const action = this.#pick([undefined, 'run', 'cancel', 'pause', 'resume', 'mark_success']);
      const hippo_name = this.#hippo;
      return { hippo_name, job_name: 'fuzzed', ...(action === undefined ? {} : { action }), run_key: word };
    }
    const second = 1_493_394_946 + this.#below(1_000_000);
    if (kind === 'finish') {
      return {
        hippo_name: 'other',
        job_name: 'done',
        job_id: `done_${second}`,
        is_success: this.#chance(0.9),
        finish_time: second,
        duration_time: 50,
        ...this.#pick([{}, { run_key: word }, { execute_time: word }]),
      };
    }
    const event = { db: 'fuzz', table: 'events', method: 'partition' };
    return this.#pick<Fields>([
      { ...event, partition: [{ name: 'part', value: word }], exec_date: String(second) },
      { ...event, partition_fields: ['part'], partition_values: [word], exec_date: second },
      { ...event, partition_fields: 'part', partition_values: word, timestamp: second },
      { ...event, partitions: [word, '201704'], exec_date: '2017/04/05T00:00:00Z' },
    ]);
  }

  #words(): { word: string } {
    return { word: this.#chance(0.5) ? this.#pick(NASTY) : `p${this.#below(500)}` };
  }

  /** One field is gone, is of another type, or is there beside what belongs there. */
  #spoil(fields: Fields): void {
    const name = this.#pick([
      ...Object.keys(fields),
      ...this.#pick([['extra'], ['__proto__'], ['constructor']]),
    ]);
    const value = this.#pick<() => unknown>([
      () => undefined,
      () => this.#pick(WRONG_TYPES),
      () => this.#pick(NASTY),
      () => [{ name: this.#pick(NASTY), value: this.#pick(NASTY) }],
      () => this.#nested(this.#pick([3, 63, 64, 65, this.#chance(0.01) ? 2_000 : 4])),
      () => Array.from({ length: this.#below(50) }, () => this.#pick(NASTY)),
      () => 'x'.repeat(this.#chance(0.001) ? 1_100_000 : this.#below(2_000)),
    ])();
    // Also where the name is __proto__.
    Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
  }

  #nested(depth: number): unknown {
    let value: unknown = 1;
    for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
    return value;
  }

  #text(fields: Fields): string {
    const text = JSON.stringify(fields);
    return this.#pick<() => string>([
      () => text,
      () => text,
      () => text,
      // The same key twice.
      () => `{"db":"other","hippo_name":"x",${text.slice(1)}`,
      () => `${text.slice(0, -1)},"table":"other","job_name":7}`,
      () => text.replace(/\d+/, '1e999'),
      () => text.replaceAll('"', "'"),
      () => `\ufeff${text}`,
      () => `${text}${text}`,
      () => ` \n\t${text}\r\n`,
      () => `[${text}]`,
    ])();
  }

  #damaged(bytes: Buffer): Buffer {
    return this.#pick<() => Buffer>([
      () => bytes,
      () => bytes,
      () => bytes,
      () => bytes.subarray(0, this.#below(bytes.length + 1)),
      () => bytes.subarray(this.#below(bytes.length + 1)),
      () => {
        const copy = Buffer.from(bytes);
        for (let times = 1 + this.#below(3); times > 0 && copy.length > 0; times -= 1)
          copy[this.#below(copy.length)] = this.#below(256);
        return copy;
      },
      () => this.#bytes(200),
    ])();
  }

  #headers(): Record<string, Buffer> {
    const names = ['traceparent', 'dlq.reason', '__proto__', 'replay.count', 'x', this.#pick(NASTY)];
    const headers: Record<string, Buffer> = {};
    for (const name of names.filter(() => this.#chance(0.4))) {
      const value = this.#bytes(this.#chance(0.003) ? 300_000 : 60);
      Object.defineProperty(headers, name.toWellFormed(), {
        value,
        enumerable: true,
        configurable: true,
      });
    }
    return headers;
  }

  #bytes(most: number): Buffer {
    const bytes = Buffer.alloc(this.#below(most + 1));
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = this.#below(256);
    return bytes;
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)] as T;
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}
