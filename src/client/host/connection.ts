import type { ClientLog } from './client-event.ts';

/** Who talks to Kafka: the membership of the group, and the owner that reads and writes. */
export type Talker = 'group' | 'owner';

/** Whether Kafka can be talked to: it is away for as long as one of its talkers says so. Each change is told once. */
export class Connection {
  readonly #away = new Set<Talker>();
  readonly #log: ClientLog;
  readonly #isStopping: () => boolean;

  /** @param isStopping a client that is told to stop lets go of Kafka, which is not to have come back */
  constructor(log: ClientLog, isStopping: () => boolean) {
    this.#log = log;
    this.#isStopping = isStopping;
  }

  get isAway(): boolean {
    return this.#away.size > 0;
  }

  away(talker: Talker, reason: string): void {
    if (!this.isAway) this.#log({ event: 'disconnected', reason });
    this.#away.add(talker);
  }

  back(talker: Talker): void {
    if (this.#away.delete(talker) && !this.isAway && !this.#isStopping()) this.#log({ event: 'connected' });
  }
}
