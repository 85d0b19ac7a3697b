/**
 * Commits that Kafka has lost. A coordinator of Kafka 4.3 takes a partition without a leader for a deleted one (KAFKA-20734): it
 * leaves out the partition's marker, and completes the transaction. That happens while a broker stops in good order, or is
 * fenced, and holds the only replica. The next marker of the same producer then decides on these records.
 */
import { type LoggedBatch, TRANSACTION_LOG, batchesOf, stepsOf, topicOf } from './partition-log.ts';

/** By `<topic>-<partition>`: what the broker has on its disk. */
export type Partitions = ReadonlyMap<string, Buffer>;

/** A line of the broker's log: it completes a transaction, and leaves out the markers of these partitions. */
export interface LeftOut {
  /** Epoch milliseconds. */
  at: number;
  partitions: readonly string[];
}

/** undefined: the line says something else, or is about another transactional id. */
export function leftOutIn(line: string, transactionalId: string): LeftOut | undefined {
  const [, at = '', partitions = '', id] =
    /^(\S+ \S+) .*find leader endpoint for partitions (?:Hash)?Set\(([^)]*)\) .* for (\S+), these/.exec(
      line,
    ) ?? [];
  return id === transactionalId ? { at: Date.parse(at), partitions: partitions.split(', ') } : undefined;
}

/**
 * Each commit that is lost, in words: the transaction log has it as complete, the partition has its records, and not its marker.
 * Where the partition was deleted indeed, nothing is lost.
 *
 * @param leftOut what the broker's logs say of the transactional id
 */
export function lostCommits(
  leftOut: readonly LeftOut[],
  transactionalId: string,
  partitions: Partitions,
): string[] {
  const commits = commitsOf(transactionalId, partitions);
  return leftOut.flatMap(({ at, partitions: without }) => {
    const commit = commits.find(({ prepared, completed }) => prepared <= at && at <= completed);
    if (commit === undefined) return [];
    return without
      .filter((partition) => isLost(commit, partitions.get(partition)))
      .map(
        (partition) =>
          `${partition} has no marker of the commit of ${transactionalId} at ${new Date(commit.prepared).toISOString()} (producer ${commit.producerId}, epoch ${commit.producerEpoch})`,
      );
  });
}

interface Commit extends Pick<LoggedBatch, 'producerId' | 'producerEpoch'> {
  /** When the transaction log took it, and when it took its completion, epoch milliseconds. */
  prepared: number;
  completed: number;
}

function commitsOf(transactionalId: string, partitions: Partitions): Commit[] {
  const logs = [...partitions].filter(([name]) => topicOf(name) === TRANSACTION_LOG);
  const steps = logs
    .flatMap(([, bytes]) => stepsOf(bytes))
    .filter((step) => step.transactionalId === transactionalId);
  return steps.flatMap(({ producerId, producerEpoch, state, time }, index) => {
    const before = steps[index - 1];
    return state === 'complete commit' && before?.state === 'prepare commit'
      ? [{ producerId, producerEpoch, prepared: before.time, completed: time }]
      : [];
  });
}

function isLost({ producerId, producerEpoch, completed }: Commit, bytes: Buffer | undefined): boolean {
  if (bytes === undefined) return false;
  const last = [...batchesOf(bytes)].findLast(
    (batch) =>
      batch.producerId === producerId && batch.producerEpoch === producerEpoch && batch.time <= completed,
  );
  return last?.kind === 'in a transaction';
}
