/**
 * Reads the rows of a table that are newer than its watermark, as one group for each partition.
 *
 * A row gets its time (or number) when its transaction writes it, and others see it when that transaction commits: a row that
 * commits late is older than the watermark by then. So each reading goes back by `overlap`. What it finds of a partition is its
 * newest value and how many rows lie within `overlap` before that: neither changes by the watermark's moving on, and one of
 * them does by each row that is added within `overlap`.
 */
import type { Watermark } from '../../core/watermark.ts';
import type { Millis } from '../../core/clock.ts';
import { SourceSettingError } from '../scanner.ts';
import type { Session } from './session.ts';
import { OID, type ReadRow, isTime, millisOf, valueText } from './values.ts';

/** A table whose rows are added, and never changed without a newer watermark. */
export interface Growing {
  /** `[schema, table]`, or `[table]`. */
  from: readonly string[];
  /** The column that grows. */
  watermark: string;
  /** Milliseconds, or for a column of numbers a thousandth of it. null: as {@link OVERLAP} says. */
  overlap: Millis | null;
  /** Names the table that is announced, for the watermark. */
  of: string;
  /** With `start_from: end` there is no need to read what is older than `overlap` at the first scan. */
  startsAtEnd: boolean;
}

/** How far a reading goes back if hippo.yaml does not say it. */
const OVERLAP = { millis: 600_000, numbers: 1_000 };

interface Column {
  oid: number;
  /** As SQL casts to it. */
  type: string;
  /** Of the values that count. */
  filter: string;
  /** What is taken from a value of it, as SQL casts to that, and as text. */
  overlap: { type: string; text: string };
}

export class WatermarkReading {
  readonly #session: Session;
  readonly #read: Growing;
  readonly #levels: readonly { name: string; oid: number }[];
  readonly #column: Column;
  readonly #of: string;
  /** Where the last reading ended; null: there was none. */
  readonly #since: string | null;
  #newest: string | null = null;

  private constructor(
    session: Session,
    read: Growing,
    found: {
      levels: readonly { name: string; oid: number }[];
      column: Column;
      of: string;
      since: string | null;
    },
  ) {
    this.#session = session;
    this.#read = read;
    this.#levels = found.levels;
    this.#column = found.column;
    this.#of = found.of;
    this.#since = found.since;
  }

  /** @throws SourceSettingError when the table or one of its columns is not there, or the watermark is of no type that grows */
  static async begin(
    session: Session,
    read: Growing,
    { levels, watermark }: { levels: readonly string[]; watermark: Watermark | undefined },
  ): Promise<WatermarkReading> {
    const from = session.identifier(...read.from);
    await session.ask('sql.from', `SELECT FROM ${from} LIMIT 0`);
    const oids: number[] = [];
    const columns = [
      { key: 'sql.watermark', name: read.watermark },
      ...levels.map((name) => ({ key: 'sql.levels', name })),
    ];
    for (const { key, name } of columns) {
      const found = await session.ask(key, `SELECT ${session.identifier(name)} FROM ${from} LIMIT 0`);
      oids.push(found.columns[0]?.oid ?? 0);
    }
    const [oid = 0, ...others] = oids;
    const column = columnOf(oid, read);
    const of = `${read.of} ${read.from.join('.')}.${read.watermark} by ${levels.join('/')}`;
    const kept = watermark?.of === of ? watermark.at : null;
    const newest = async (): Promise<string | null> => {
      const name = session.identifier(read.watermark);
      const { rows } = await session.ask('sql.watermark', `SELECT max(${name}) FROM ${from}`);
      return rows[0]?.[0] ?? null;
    };
    const found = { levels: levels.map((name, index) => ({ name, oid: others[index] ?? 0 })), column, of };
    const begin = (since: string | null): WatermarkReading =>
      new WatermarkReading(session, read, { ...found, since });
    if (kept === null) return begin(read.startsAtEnd ? await newest() : null);
    if (isTime(column.oid)) return begin(kept);
    // Numbers that begin anew (TRUNCATE … RESTART IDENTITY, an older copy of the database) are all below the watermark.
    const last = await newest();
    return begin(last === null || BigInt(wholePart(last)) < BigInt(wholePart(kept)) ? null : kept);
  }

  async *groups(): AsyncGenerator<readonly ReadRow[]> {
    const { sql, values } = this.#statement();
    for await (const { columns, rows } of this.#session.read({ key: 'sql.watermark' }, sql, values)) {
      const { oid } = this.#column;
      yield rows.map((row) => {
        const newest = row[this.#levels.length] ?? '';
        // They come in the order of their newest values.
        this.#newest = newest;
        return {
          values: this.#levels.map((_, index) => {
            const text = row[index] ?? null;
            return text === null ? null : valueText(columns[index]?.oid ?? 0, text);
          }),
          landedAt: isTime(oid) ? millisOf(oid, newest) : undefined,
          found: `${newest} ${row[this.#levels.length + 1] ?? ''}`,
        };
      });
    }
  }

  /**
   * Not later than now: a row of the year 9999 would otherwise hide all that is written until then.
   *
   * @returns undefined while the table has never had a row
   */
  async reached(): Promise<Watermark | undefined> {
    const { oid, type } = this.#column;
    const [since, newest] = [this.#since, this.#newest];
    if (newest === null) return since === null ? undefined : { of: this.#of, at: since };
    const latest = isTime(oid) ? `least($1::${type}, now()::${type})` : `$1::${type}`;
    const { rows } = await this.#session.ask('sql.watermark', `SELECT greatest($2::${type}, ${latest})`, [
      newest,
      since,
    ]);
    return { of: this.#of, at: rows[0]?.[0] ?? newest };
  }

  #statement(): { sql: string; values: readonly string[] } {
    const { type, overlap } = this.#column;
    const quote = (name: string): string => this.#session.identifier(name);
    const from = this.#session.identifier(...this.#read.from);
    const mark = quote(this.#read.watermark);
    const names = this.#levels.map(({ name }) => quote(name));
    const aliases = names.map((_, index) => `l${index}`);
    const back = `$1::${overlap.type}`;
    const [recent, older] =
      this.#since === null
        ? ['', '']
        : [` AND t.${mark} >= $2::${type} - ${back}`, ` AND t.${mark} >= $2::${type} - ${back} - ${back}`];
    const sql = `WITH recent AS (
  SELECT ${[...names.map((name, index) => `t.${name} AS l${index}`), `max(t.${mark}) AS newest`].join(', ')}
  FROM ${from} AS t WHERE t.${mark} ${this.#column.filter}${recent}
  ${names.length === 0 ? '' : `GROUP BY ${names.map((name) => `t.${name}`).join(', ')}`} HAVING max(t.${mark}) IS NOT NULL
)
SELECT ${[...aliases, 'newest'].map((name) => `recent.${name}`).join(', ')}, count(t.${mark})
FROM recent LEFT JOIN ${from} AS t
  ON ${[...names.map((name, index) => `t.${name} = recent.l${index}`), `t.${mark} >= recent.newest - ${back}`].join(' AND ')}${older}
GROUP BY ${[...aliases, 'newest'].map((name) => `recent.${name}`).join(', ')}
ORDER BY recent.newest`;
    return { sql, values: [overlap.text, ...(this.#since === null ? [] : [this.#since])] };
  }
}

const TYPES: Readonly<Record<number, string>> = {
  [OID.date]: 'date',
  [OID.timestamp]: 'timestamp',
  [OID.timestamptz]: 'timestamptz',
  [OID.int2]: 'bigint',
  [OID.int4]: 'bigint',
  [OID.int8]: 'bigint',
  [OID.numeric]: 'numeric',
};

function columnOf(oid: number, { watermark, overlap }: Growing): Column {
  const type = TYPES[oid];
  if (type === undefined)
    throw new SourceSettingError(`the column ${watermark} cannot be a watermark`, {
      why: 'it is no date, time or number. Correct sql.watermark',
    });
  // Of all numbers NaN is the greatest.
  const filter = oid === OID.numeric ? `<> 'NaN'` : 'IS NOT NULL';
  if (isTime(oid)) {
    const text = `${overlap ?? OVERLAP.millis} milliseconds`;
    return { oid, type, filter, overlap: { type: 'interval', text } };
  }
  const text = String(overlap === null ? OVERLAP.numbers : Math.round(overlap / 1000));
  return { oid, type, filter, overlap: { type, text } };
}

/** Of PostgreSQL's text of a number. */
function wholePart(text: string): string {
  return /^-?\d+/.exec(text)?.[0] ?? '0';
}
