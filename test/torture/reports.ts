/** A warehouse that reports its landings to an http source of the hippo, each until it is answered, and what its events must say of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import getPort from 'get-port';
import type { KafkaRecord } from '../../src/kafka/port.ts';
import { parseFrontier, partitionPath } from '../../src/messages/index.ts';

const TOKEN = 'a-token-of-the-crash-test';
const PARTS = ['a', 'b', 'c'];
/** Enough for the longest round. */
const MOST = 2_000;
/** A frozen client takes a request and does not answer, milliseconds. */
const PATIENCE = 5_000;

export class Reports {
  readonly table: string;
  readonly #port: number;
  readonly #rests: readonly number[];
  /** The partition of each report that was sent, by its id; whether it was answered. */
  readonly #sent = new Map<string, { part: string; isAnswered: boolean }>();

  private constructor(hippo: string, seed: number, port: number) {
    this.table = `${hippo}.reported`;
    this.#port = port;
    const rests = fc.array(fc.integer({ min: 0, max: 800 }), { minLength: MOST, maxLength: MOST });
    this.#rests = fc.sample(rests, { seed, numRuns: 1 })[0] ?? [];
  }

  static async make(hippo: string, seed: number): Promise<Reports> {
    return new Reports(hippo, seed, await getPort({ host: '127.0.0.1' }));
  }

  /** The section `sources` of hippo.yaml. */
  get sources(): object {
    const http = { port: this.#port, token: TOKEN, levels: ['part'], rate: 1_000 };
    return { reported: { table: this.table, http } };
  }

  /** How many were answered. */
  get count(): number {
    return [...this.#sent.values()].filter(({ isAnswered }) => isAnswered).length;
  }

  /** Until it is told to stop; then one report may not be answered yet. */
  async goOn(stop: AbortSignal): Promise<void> {
    for (const [number, rest] of this.#rests.entries()) {
      if (stop.aborted) return;
      const id = `report-${number}`;
      this.#sent.set(id, { part: PARTS[number % PARTS.length] ?? '', isAnswered: false });
      await this.#insist(id, stop);
      await sleep(rest, undefined, { signal: stop }).catch(() => undefined);
    }
  }

  /** Sends again what was not answered. */
  async finish(stop: AbortSignal): Promise<void> {
    for (const [id, { isAnswered }] of this.#sent) if (!isAnswered) await this.#insist(id, stop);
  }

  async #insist(id: string, stop: AbortSignal): Promise<void> {
    const report = this.#sent.get(id);
    while (report !== undefined && !report.isAnswered && !stop.aborted) {
      report.isAnswered = await this.#send(id, report.part);
      if (!report.isAnswered) await sleep(100, undefined, { signal: stop }).catch(() => undefined);
    }
  }

  async #send(id: string, part: string): Promise<boolean> {
    try {
      const { ok } = await fetch(`http://127.0.0.1:${this.#port}/landed`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${TOKEN}`,
          'content-type': 'application/json',
          'idempotency-key': id,
        },
        body: JSON.stringify({ partition: { part } }),
        signal: AbortSignal.timeout(PATIENCE),
      });
      return ok;
    } catch {
      return false;
    }
  }

  /**
   * Each report that was answered has one event, one that was not at most one.
   *
   * @param records the committed ones of the frontier topic
   */
  judge(records: readonly KafkaRecord[]): { violations: string[]; events: number } {
    const counts = new Map<string, number>();
    for (const { value } of records) {
      const parsed = value === null ? undefined : parseFrontier(value);
      if (parsed?.ok !== true || `${parsed.message.db}.${parsed.message.table}` !== this.table) continue;
      const path = partitionPath(parsed.message.partitions[0] ?? []);
      counts.set(path, (counts.get(path) ?? 0) + 1);
    }
    const violations = PARTS.flatMap((part) => {
      const ofPart = [...this.#sent.values()].filter((report) => report.part === part);
      const answered = ofPart.filter(({ isAnswered }) => isAnswered).length;
      const count = counts.get(`part=${part}`) ?? 0;
      return count >= answered && count <= ofPart.length
        ? []
        : [
            `of ${ofPart.length} reports of part=${part}, ${answered} of them answered, there are ${count} events`,
          ];
    });
    return { violations, events: [...counts.values()].reduce((sum, count) => sum + count, 0) };
  }
}
