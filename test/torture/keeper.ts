/** The services of a hippo in the crash test, and what their journal and their events must say. */
import { appendFile, chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KafkaRecord } from '../../src/kafka/port.ts';
import { parseFrontier, partitionPath } from '../../src/messages/index.ts';

/**
 * The owner's service. It beats into a journal, by a clock that nobody moves, and announces a table now and then: first all that
 * any process before it has made, because it cannot know what of it is announced.
 */
const KEEPER = `#!/usr/bin/env bash
beat() { read -r up _ < /proc/uptime; echo "$HIPPO_SERVICE_RUN $HIPPO_EPOCH $up" >> keeper.journal; }
announce() { echo "{\\"id\\":\\"$1\\",\\"table\\":\\"$TABLE\\",\\"partition\\":{\\"part\\":\\"$1\\"}}" >> "$HIPPO_EVENTS_FILE"; }
beat
exec {nap}<> <(:)
while read -r id; do announce "$id"; done < keeper.made
echo up
for ((n = 0; ; n++)); do
  beat
  if ((n % 20 == 0)); then
    id=\${HIPPO_SERVICE_RUN:0:8}-$n
    echo "$id" >> keeper.made
    announce "$id"
  fi
  read -rt 0.02 -u "$nap"
done
`;

/** A page of every client. */
const PAGE = `#!/bin/sh
echo up
exec sleep 100000
`;

export class Keeper {
  readonly table: string;
  readonly #directory: string;
  #unsaid: ReadonlySet<string> = new Set();

  /** @param directory the project's */
  constructor(directory: string, hippo: string) {
    this.#directory = directory;
    this.table = `${hippo}.kept`;
  }

  /** The section `services` of hippo.yaml. */
  get services(): object {
    const common = { ready: { line: '^up' }, backoff: '100ms', give_up: { after: 1000 } };
    return {
      keeper: { run: './keeper.sh', env: { TABLE: this.table }, events: {}, ...common },
      page: { run: './page.sh', scope: 'each', ...common },
    };
  }

  /** Before a client starts. */
  async begin(): Promise<void> {
    for (const [name, script] of [
      ['keeper.sh', KEEPER],
      ['page.sh', PAGE],
    ] as const) {
      await writeFile(join(this.#directory, name), script);
      await chmod(join(this.#directory, name), 0o755);
    }
    await appendFile(join(this.#directory, 'keeper.made'), '');
  }

  /** What the service has made so far. */
  async made(): Promise<string[]> {
    return linesOf(await readFile(join(this.#directory, 'keeper.made'), 'utf8'));
  }

  /**
   * Of what the last process made, and had no time to announce, nothing is expected; of all before it everything is.
   *
   * @param records the committed ones of the frontier topic
   */
  async settle(records: readonly KafkaRecord[]): Promise<void> {
    const made = await this.made();
    const last = made.at(-1)?.split('-')[0];
    const counts = this.announced(records);
    this.#unsaid = new Set(made.filter((id) => id.startsWith(`${last ?? ''}-`) && !counts.has(id)));
  }

  /** How often each id is announced. @param records the committed ones of the frontier topic */
  announced(records: readonly KafkaRecord[]): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { value } of records) {
      const parsed = value === null ? undefined : parseFrontier(value);
      if (parsed?.ok !== true || `${parsed.message.db}.${parsed.message.table}` !== this.table) continue;
      const id = partitionPath(parsed.message.partitions[0] ?? []).replace(/^part=/, '');
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }

  async judge(
    records: readonly KafkaRecord[],
  ): Promise<{ violations: string[]; processes: number; events: number }> {
    const journal = linesOf(await readFile(join(this.#directory, 'keeper.journal'), 'utf8').catch(() => ''));
    const lives = livesOf(journal);
    const counts = this.announced(records);
    const made = await this.made();
    return {
      violations: [
        ...overlaps(lives),
        ...made.flatMap((id) => {
          const count = counts.get(id) ?? 0;
          return count === 1 || (count === 0 && this.#unsaid.has(id))
            ? []
            : [`the service's table event ${id} is published ${count} times`];
        }),
        ...[...counts.keys()]
          .filter((id) => !made.includes(id))
          .map((id) => `${id} is published, and was not made`),
      ],
      processes: lives.length,
      events: [...counts.values()].reduce((sum, count) => sum + count, 0),
    };
  }
}

/** One process of the owner's service, by the machine's uptime in seconds. */
export interface Life {
  epoch: number;
  first: number;
  last: number;
}

/** In the order of their beginnings. */
export function livesOf(journal: readonly string[]): Life[] {
  const beats = journal.flatMap((line) => {
    const [run = '', epoch, at] = line.split(' ');
    return Number.isFinite(Number(at)) ? [{ run, epoch: Number(epoch), at: Number(at) }] : [];
  });
  return [...Map.groupBy(beats, ({ run }) => run).values()]
    .map((own): Life => {
      const times = own.map(({ at }) => at);
      return { epoch: own[0]?.epoch ?? 0, first: Math.min(...times), last: Math.max(...times) };
    })
    .sort((a, b) => a.first - b.first);
}

/** Two processes at one time, or one that begins with an older epoch than the one before it. */
export function overlaps(lives: readonly Life[]): string[] {
  return lives.slice(1).flatMap((life, index) => {
    const before = lives[index] as Life;
    return [
      ...(life.first < before.last
        ? [`two owners' services ran at once for ${(before.last - life.first).toFixed(2)} s`]
        : []),
      ...(life.epoch < before.epoch
        ? [`an owner's service of epoch ${life.epoch} began after ${before.epoch}`]
        : []),
    ];
  });
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
