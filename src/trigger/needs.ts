import { combinations } from '../client/machine/compile.ts';
import { type DatePattern, type Piece, compilePieces, datePattern } from '../windows/index.ts';
import { type WindowUnit, unitsOf } from '../windows/units.ts';
import type { Config, NeedConfig } from '../config/schema.ts';
import { UserError } from '../core/errors.ts';
import type { PartitionFormat } from './format.ts';

/** What a job of this hippo.yaml needs of a table. */
export interface TableNeed {
  job: string;
  /** What the job runs by. */
  every: WindowUnit;
  format: PartitionFormat;
}

/**
 * How the jobs of this hippo.yaml expect the partition of a table to be written: each format once for each unit. Empty if they define
 * none: a job with `every: event` takes partitions of any form.
 *
 * @throws UserError for a template that no client could run with
 */
export function tableNeeds(table: string, config: Config): TableNeed[] {
  const units = unitsOf({ weekStarts: config.calendar.week_starts });
  const unformatted = (every: WindowUnit): string => units.runnable(every).window.key;
  const known = Object.entries(config.jobs).flatMap(([job, { every, needs: members }]) =>
    every === 'event'
      ? []
      : members
          .flatMap((need) => partitionsOf(need, table))
          .map((partition) => ({ job, every, format: formatOf(partition, job, unformatted(every)) })),
  );
  return known.filter(
    ({ every, format }, index) =>
      known.findIndex((other) => other.every === every && sameFormat(other.format, format)) === index,
  );
}

/** Level name to template, with the names that `each` gives. */
interface NeededPartition {
  levels: Readonly<Record<string, string>>;
  names: Readonly<Record<string, string>>;
}

function partitionsOf(need: NeedConfig, table: string): NeededPartition[] {
  if ('any_of' in need) return need.any_of.flatMap((one) => partitionsOf(one, table));
  if ('of' in need) return need.of.flatMap((one) => partitionsOf(one, table));
  // Hive and Spark ignore case in names of tables.
  if (!('table' in need) || need.table.toLowerCase() !== table.toLowerCase()) return [];
  const levels = need.partition ?? {};
  return ('each' in need ? combinations(Object.entries(need.each)) : [{}]).map((names) => ({
    levels,
    names,
  }));
}

function formatOf({ levels, names }: NeededPartition, job: string, unformatted: string): PartitionFormat {
  return Object.entries(levels).map(([name, source]) => {
    const pieces = compilePieces(source, names, unformatted);
    const pattern = pieces.ok ? joined(pieces.value) : undefined;
    if (pattern !== undefined) return { name, pattern };
    throw new UserError(`the partition ${name} that jobs.${job} needs is not a template that can be read`, {
      why: pieces.ok ? undefined : pieces.message,
      next: ['hippo config    (says where, and what is allowed)'],
    });
  });
}

/** The window's shifts (`minus: '1 month'`) say which partition a run needs, not how one is written. */
function joined(pieces: readonly Piece[]): DatePattern | undefined {
  const pattern = datePattern(
    pieces
      .map((piece) => (typeof piece === 'string' ? piece.replaceAll('%', '%%') : piece.pattern.source))
      .join(''),
  );
  return 'unknown' in pattern ? undefined : pattern;
}

function sameFormat(one: PartitionFormat, other: PartitionFormat): boolean {
  return (
    one.length === other.length &&
    one.every(
      ({ name, pattern }, index) =>
        name === other[index]?.name && pattern.source === other[index].pattern.source,
    )
  );
}
