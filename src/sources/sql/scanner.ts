/** Partitions that a query of a PostgreSQL database lists, or that new rows of one of its tables belong to. */
import { firstTwice } from '../../core/twice.ts';
import type { Watermark } from '../../core/watermark.ts';
import { partitionPath, partitionProblem } from '../../messages/index.ts';
import {
  type FoundLanding,
  type ScanOptions,
  type Scanner,
  type Skip,
  SourceSettingError,
} from '../scanner.ts';
import { type Column, type Connecting, Session, placeOf } from './session.ts';
import { type ReadRow, isTime, millisOf, valueText } from './values.ts';
import { type Growing, WatermarkReading } from './watermark.ts';

/** What is read: the result of a query, or the rows of a table that are newer than its watermark. */
export type SqlRead = { query: string } | Growing;

export interface SqlOptions extends Connecting {
  /** The columns that a partition's levels are: in their order, with their names. */
  levels: readonly string[];
  read: SqlRead;
}

/** The column that has the time of a landing. */
const LANDED_AT = 'landed_at';

export class SqlScanner implements Scanner {
  readonly place: string;
  readonly lists: 'any number' | 'news';
  readonly #options: SqlOptions;

  constructor(options: SqlOptions) {
    const { url, read } = options;
    this.#options = options;
    this.place = 'query' in read ? placeOf(url) : `${read.from.join('.')} of ${placeOf(url)}`;
    this.lists = 'query' in read ? 'any number' : 'news';
  }

  async *scan(
    signal: AbortSignal,
    onSkip: (skip: Skip) => void,
    { watermark, onWatermark = () => undefined }: ScanOptions = {},
  ): AsyncGenerator<readonly FoundLanding[]> {
    const session = await Session.open(this.#options, signal);
    try {
      const { levels, read } = this.#options;
      const once = new Once(levels, onSkip);
      yield* 'query' in read
        ? this.#listed(session, read.query, once)
        : this.#new(session, read, once, { watermark, onWatermark });
    } finally {
      await session.close();
    }
  }

  /** Connects, and has the names in the statements looked up. */
  async look(signal: AbortSignal): Promise<void> {
    const session = await Session.open(this.#options, signal);
    const { levels, read } = this.#options;
    try {
      if ('query' in read)
        new ListedRow(await session.columns({ key: 'sql.query', text: read.query }), levels);
      else
        await WatermarkReading.begin(
          session,
          { ...read, startsAtEnd: false },
          { levels, watermark: undefined },
        );
    } finally {
      await session.close();
    }
  }

  async *#listed(session: Session, query: string, once: Once): AsyncGenerator<readonly FoundLanding[]> {
    let row: ListedRow | undefined;
    for await (const { columns, rows } of session.read({ key: 'sql.query', text: query }, query)) {
      row ??= new ListedRow(columns, this.#options.levels);
      yield rows.flatMap((values) => once.landing((row as ListedRow).read(values)));
    }
  }

  async *#new(
    session: Session,
    read: Growing,
    once: Once,
    { watermark, onWatermark }: { watermark: Watermark | undefined; onWatermark: (to: Watermark) => void },
  ): AsyncGenerator<readonly FoundLanding[]> {
    const { levels } = this.#options;
    const reading = await WatermarkReading.begin(session, read, { levels, watermark });
    for await (const groups of reading.groups()) yield groups.flatMap((group) => once.landing(group));
    const reached = await reading.reached();
    if (reached !== undefined) onWatermark(reached);
  }
}

/** Which column of a query is what. */
class ListedRow {
  readonly #columns: readonly Column[];
  /** The index of each level's column. */
  readonly #levels: readonly number[];
  readonly #landedAt: number;

  /** @throws SourceSettingError when a level has no column, or `landed_at` is no time */
  constructor(columns: readonly Column[], levels: readonly string[]) {
    this.#columns = columns;
    const has = `it has ${columns.map(({ name }) => name).join(', ')}`;
    this.#levels = levels.map((level) => {
      const index = columns.findIndex(({ name }) => name === level);
      if (index >= 0) return index;
      const why = `${has}. Select ${level}, or correct sql.levels`;
      throw new SourceSettingError(`sql.query has no column ${level}`, { why });
    });
    const names = columns.map(({ name }) => name);
    const twice = firstTwice(names);
    if (twice !== undefined)
      throw new SourceSettingError(`sql.query has the column ${twice} twice`, {
        why: 'Name one of them anew with AS',
      });
    this.#landedAt = names.indexOf(LANDED_AT);
    const column = columns[this.#landedAt];
    if (column !== undefined && !isTime(column.oid))
      throw new SourceSettingError('the column landed_at of sql.query is no time', {
        why: 'Make it a timestamp with time zone: to_timestamp(seconds) AS landed_at',
      });
  }

  read(values: readonly (string | null)[]): ReadRow {
    const value = (index: number): string | null => {
      const text = values[index] ?? null;
      return text === null ? null : valueText(this.#columns[index]?.oid ?? 0, text);
    };
    const at = values[this.#landedAt] ?? null;
    return {
      values: this.#levels.map(value),
      landedAt: at === null ? undefined : millisOf(this.#columns[this.#landedAt]?.oid ?? 0, at),
      found: JSON.stringify(values.filter((_, index) => !this.#levels.includes(index))),
    };
  }
}

/** Makes landings of rows, each partition once. */
class Once {
  readonly #levels: readonly string[];
  readonly #onSkip: (skip: Skip) => void;
  readonly #seen = new Set<string>();

  constructor(levels: readonly string[], onSkip: (skip: Skip) => void) {
    this.#levels = levels;
    this.#onSkip = onSkip;
  }

  landing({ values, landedAt, found }: ReadRow): FoundLanding[] {
    const partition = this.#levels.map((name, index) => ({ name, value: values[index] ?? '' }));
    const id = partitionPath(partition);
    const missing = this.#levels.find((_, index) => values[index] === null);
    const problem =
      missing !== undefined
        ? `${missing} is NULL`
        : this.#seen.has(id)
          ? 'an earlier row is of the same partition'
          : problemOf(partition);
    if (problem !== undefined) {
      const path = `the row ${id === '' ? 'without levels' : id}`;
      this.#onSkip({ path, reason: problem, isUnfinished: false });
      return [];
    }
    this.#seen.add(id);
    return [{ id, partition, landedAt: landedAt ?? Date.now(), found }];
  }
}

function problemOf(partition: FoundLanding['partition']): string | undefined {
  const blank = partition.find(({ value }) => value === '');
  return blank === undefined ? partitionProblem(partition) : `${blank.name} is empty`;
}
