import type { HippoError } from '../../core/errors.ts';
import type { ClientLog } from './client-event.ts';

/** Why Kafka does not accept a request, and the first step of the remedy. */
export function refusal({ message, why, next: [remedy] }: HippoError): string {
  const sentences = [message, why, remedy === undefined ? undefined : `Remedy: ${remedy}`];
  return sentences
    .filter((text) => text !== undefined)
    .map((text) => text.replace(/\.$/, ''))
    .join('. ');
}

/** The parts of a client that talk to Kafka: the membership of the group, and the owner, which reads and writes. */
export type KafkaUser = 'group' | 'owner';

/** The client's connection to Kafka: lost as long as one of its parts reports a loss. Each change is logged once. */
export class Connection {
  readonly #disconnected = new Set<KafkaUser>();
  #isRefused = false;
  readonly #log: ClientLog;
  readonly #isStopping: () => boolean;

  /** @param isStopping a client that stops closes its connections, which must not be logged as `connected` */
  constructor(log: ClientLog, isStopping: () => boolean) {
    this.#log = log;
    this.#isStopping = isStopping;
  }

  get isConnected(): boolean {
    return this.#disconnected.size === 0 && !this.#isRefused;
  }

  /** Kafka answers, and does not accept what the owner writes. */
  refused(text: string): void {
    if (!this.#isRefused) this.#log({ event: 'notice', level: 'error', text });
    this.#isRefused = true;
  }

  disconnected(user: KafkaUser, reason: string): void {
    if (this.isConnected) this.#log({ event: 'disconnected', reason });
    this.#disconnected.add(user);
  }

  connected(user: KafkaUser): void {
    const wasRefused = user === 'owner' && this.#isRefused;
    if (wasRefused) this.#isRefused = false;
    if (!this.#disconnected.delete(user) && !wasRefused) return;
    if (this.isConnected && !this.#isStopping()) this.#log({ event: 'connected' });
  }
}
