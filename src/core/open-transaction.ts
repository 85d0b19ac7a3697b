/** An open transaction, and what a person reads about it. Pure. */
import { isoTime } from './clock.ts';
import { shellWord } from './shell.ts';

/** A transaction that is open in a partition: it hides all records from its first one on. */
export interface OpenTransaction {
  topic: string;
  partition: number;
  /** Its first record there. */
  offset: bigint;
  /**
   * When it began, epoch milliseconds; where `endsBy` is null, the time of its last record there: it began earlier. null: not
   * known.
   */
  since: number | null;
  /** When Kafka aborts it (`transaction.timeout.ms`), epoch milliseconds; null: its coordinator does not say. */
  endsBy: number | null;
  /** null: not known, because this user may not describe it or no coordinator knows it any more. */
  transactionalId: string | null;
  /** Kafka's number of its producer; null: not known. */
  producerId: bigint | null;
}

/** An {@link OpenTransaction} that hides records, as results of commands have it. */
export interface HidingTransaction {
  topic: string;
  partition: number;
  /** 64 bit, so decimal text. */
  offset: string;
  /** ISO 8601; null: not known. */
  since: string | null;
  /** When Kafka aborts it, ISO 8601; null: not known, and it has been open for longer than `since`. */
  ends_by: string | null;
  transactional_id: string | null;
  producer_id: string | null;
  /** The sentence about it. */
  text: string;
  /** What ends it. */
  remedy: string;
  /** Aborts it, if its coordinator does not. */
  command: string;
}

export function hidingTransaction(open: OpenTransaction, brokers: readonly string[]): HidingTransaction {
  const { topic, partition, offset, since, endsBy, transactionalId, producerId } = open;
  return {
    topic,
    partition,
    offset: String(offset),
    since: since === null ? null : isoTime(since),
    ends_by: endsBy === null ? null : isoTime(endsBy),
    transactional_id: transactionalId,
    producer_id: producerId === null ? null : String(producerId),
    text: describeHoldUp(open),
    remedy: endOfTransaction(open),
    command: abortCommand(brokers, open),
  };
}

/** `the transaction of sales-export has been open since 2026-11-28T09:00:00Z` */
export function describeTransaction({ transactionalId, producerId, since, endsBy }: OpenTransaction): string {
  const owner =
    transactionalId === null
      ? `another producer${producerId === null ? '' : ` (producer id ${producerId})`}`
      : `transactional id ${transactionalId}`;
  const begun = since === null ? undefined : second(since);
  // Without the coordinator's word only the time of its last record is known.
  const open =
    begun === undefined ? 'is open' : `has been open since ${begun}${endsBy === null ? ' or longer' : ''}`;
  return `the transaction of ${owner} ${open}`;
}

/** The whole sentence, without a full stop at its end. */
export function describeHoldUp(transaction: OpenTransaction): string {
  const { topic, partition, offset } = transaction;
  return `${topic}[${partition}]: ${describeTransaction(transaction)}; it hides all records from offset ${offset} on`;
}

/** How it ends. */
export function endOfTransaction({ transactionalId, endsBy }: OpenTransaction): string {
  const program =
    transactionalId === null
      ? 'Stop the program that writes it, or wait'
      : `Stop the program with transactional id ${transactionalId}, or wait`;
  const end =
    endsBy === null
      ? "Kafka aborts it after that program's transaction.timeout.ms"
      : `Kafka aborts it at ${second(endsBy)} (transaction.timeout.ms of that program)`;
  const unnamed =
    transactionalId === null
      ? ' Kafka names it only to users with the operation Describe on its transactional id.'
      : '';
  return `${program}: ${end}.${unnamed} If it is still open after that, type the command.`;
}

/** The command that ends a transaction that its coordinator does not end. */
export function abortCommand(
  brokers: readonly string[],
  { topic, partition, offset }: Pick<OpenTransaction, 'topic' | 'partition' | 'offset'>,
): string {
  return (
    `kafka-transactions.sh --bootstrap-server ${brokers.join(',')} abort ` +
    `--topic ${shellWord(topic)} --partition ${partition} --start-offset ${offset}`
  );
}

/** `2017-04-28T15:55:46Z` */
function second(millis: number): string {
  return isoTime(millis)?.replace(/\.\d+Z$/, 'Z') ?? String(millis);
}
