/**
 * The data versions of a query service. A data version is a set of visible partitions of all tables; in DuckDB it is a catalog of
 * its own, with a view for each table. A query belongs to one version from its beginning to its end, so it never sees a mixture.
 *
 * A partition becomes visible by its event. What an event names is taken as a whole: its files are looked at, linked, and looked at
 * again, and only if nothing has changed in between they become the next version. Of a partition that was visible before, the files
 * must also have been at rest for {@link REST}: its next overwriting may have begun already. Until then the old ones are shown.
 */
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '../core/deadline.ts';
import { messageOf } from '../core/errors.ts';
import { parsePlainJson } from '../core/json.ts';
import { LEVEL_SQL, literal, quoted } from './duck.ts';
import type { Engine } from './engine.ts';
import { type Landing, landingName } from './landings.ts';
import {
  type ListedPartition,
  type TableSpec,
  isMissing,
  isSameListing,
  listPartitions,
} from './partitions.ts';
import { Snapshots } from './snapshots.ts';
import {
  type Visible,
  type VisiblePartition,
  type VisibleTable,
  newestOf,
  snapshotsIn,
  versionOf,
  visibleFromJson,
  visibleToJson,
} from './visible.ts';

/** One data version, held for a query. */
export interface DataVersion {
  /** In DuckDB. */
  readonly catalog: string;
  readonly visible: Visible;
  /** Identifies the data of these tables: on another machine, too. */
  idOf(tables: readonly string[]): string;
}

export interface Freshness {
  table: string;
  partitions: number;
  /** The newest partition by its values; null: an unpartitioned table, or one without data. */
  up_to: string | null;
  /** When that one landed, by its event; null: it was there before the service's first start. */
  since: string | null;
  data_version: string | null;
  /** Landings that are not visible yet, with the reason. */
  awaited: { landing: string; why: string }[];
}

export interface DataOptions {
  tables: readonly TableSpec[];
  /** The folder of this service instance. */
  folder: string;
  engine: Engine;
  /** Milliseconds for which an older version can still be asked for. */
  keep: number;
  notice: (level: 'info' | 'warning', text: string) => void;
}

/** Milliseconds for which the files of an overwritten partition must not have changed. */
const REST = 1_000;
/** Between two looks at a landing that is awaited. */
const LOOK_AGAIN = 250;
/** Before files that DuckDB could not read are tried again. */
const BROKEN = 30_000;
/** At the first start, files that are being written are waited for that long. */
const START_WAIT = 10_000;

interface Held extends DataVersion {
  uses: number;
  /** When a newer version came, by performance.now(); null: it is the newest. */
  supersededAt: number | null;
}

interface Awaited {
  landing: Landing;
  why: string;
  /** By performance.now(). */
  notBefore: number;
}

interface Ready {
  awaited: Awaited;
  partitions: VisiblePartition[];
}

/** What a look at a landing has found. */
type Looked = { partitions: VisiblePartition[] } | { why: string };

export class Data {
  readonly #options: DataOptions;
  readonly #snapshots: Snapshots;
  readonly #versions: Held[] = [];
  readonly #awaited = new Map<string, Awaited>();
  #visible: Visible;
  #count = 0;
  #work: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  private constructor(options: DataOptions, snapshots: Snapshots, visible: Visible) {
    this.#options = options;
    this.#snapshots = snapshots;
    this.#visible = visible;
  }

  /** Goes on with what was visible when the service ended; at the first start all that is there becomes visible. */
  static async open(options: DataOptions): Promise<Data> {
    const before = await remembered(options.folder);
    const snapshots = await Snapshots.open(
      join(options.folder, 'snapshots'),
      snapshotsIn(before ?? new Map()),
    );
    const visible = new Map<string, VisibleTable>();
    for (const table of options.tables) {
      const known = before?.get(table.name);
      const found = known && (await stillThere(table, known, snapshots));
      if (found !== undefined) visible.set(table.name, found);
    }
    const data = new Data(options, snapshots, visible);
    await data.#publish(visible);
    await data.#firstLook(options.tables.filter(({ name }) => !visible.has(name)));
    data.#timer = setInterval(() => data.#tick(), LOOK_AGAIN);
    return data;
  }

  /** The newest version, or an older one in which these tables have this id; it must be released. */
  hold(tables: readonly string[], id: string | null = null): DataVersion | null {
    const found = this.#versions.findLast((version) => id === null || version.idOf(tables) === id) ?? null;
    if (found !== null) found.uses += 1;
    return found;
  }

  release(version: DataVersion): void {
    (version as Held).uses -= 1;
  }

  /** Those without data: their routes cannot be answered. */
  get missing(): string[] {
    return this.#options.tables
      .map(({ name }) => name)
      .filter((name) => (this.#visible.get(name)?.size ?? 0) === 0);
  }

  freshness(): Freshness[] {
    return this.#options.tables.map((table) => {
      const visible = this.#visible.get(table.name) ?? new Map<string, VisiblePartition>();
      const newest = newestOf(table, visible);
      return {
        table: table.name,
        partitions: visible.size,
        up_to: newest === null || newest.path === '' ? null : newest.path,
        since: newest === null || newest.since === null ? null : new Date(newest.since * 1_000).toISOString(),
        data_version: visible.size === 0 ? null : versionOf(this.#visible, [table.name]),
        awaited: [...this.#awaited.values()]
          .filter(({ landing }) => landing.table.name === table.name)
          .map(({ landing, why }) => ({ landing: landingName(landing), why })),
      };
    });
  }

  /** Resolves when these landings have been looked at: they are visible, or awaited. */
  land(landings: readonly Landing[]): Promise<void> {
    return this.#next(async () => {
      for (const landing of landings) this.#await(landing);
      await this.#look();
    });
  }

  /** After a query met a file that has vanished: lists the files of these tables anew, where they have no snapshot. */
  renew(tables: readonly string[]): Promise<void> {
    return this.#next(async () => {
      const visible = new Map(this.#visible);
      for (const table of this.#options.tables.filter(({ name }) => tables.includes(name))) {
        const old = visible.get(table.name);
        if (old !== undefined) visible.set(table.name, await listedAnew(table, old));
      }
      if (versionOf(visible, tables) !== versionOf(this.#visible, tables)) await this.#publish(visible);
    });
  }

  /** Whether the files without a snapshot are those of the version still: a query over them has not met a mixture. */
  async isUnchanged(version: DataVersion, tables: readonly string[]): Promise<boolean> {
    for (const table of this.#options.tables.filter(({ name }) => tables.includes(name))) {
      for (const partition of version.visible.get(table.name)?.values() ?? []) {
        if (partition.snapshot === null && !(await hasItsFiles(table, partition))) return false;
      }
    }
    return true;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#work;
  }

  /** Each partition by itself: one that is being written does not hold up the others for long. */
  async #firstLook(tables: readonly TableSpec[]): Promise<void> {
    for (const table of tables)
      for (const { values } of await listPartitions(table, [])) this.#await({ table, values, since: null });
    const end = performance.now() + START_WAIT;
    for (;;) {
      await this.#look();
      if (this.#awaited.size === 0 || performance.now() >= end) return;
      await pause(LOOK_AGAIN);
    }
  }

  #await(landing: Landing): void {
    this.#awaited.set(landingName(landing), { landing, why: 'it is being looked at', notBefore: 0 });
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch((error: unknown) => this.#options.notice('warning', messageOf(error)));
    return done;
  }

  #tick(): void {
    if (this.#isClosed) return;
    const isDue = this.#awaited.size > 0 || this.#versions.some((version) => this.#isUnneeded(version));
    if (isDue) void this.#next(() => this.#look().then(() => this.#removeUnneeded())).catch(() => undefined);
  }

  /** Makes visible what of the awaited landings is ready, in one version. */
  async #look(): Promise<void> {
    const ready: Ready[] = [];
    for (const awaited of this.#awaited.values()) {
      if (performance.now() < awaited.notBefore) continue;
      const { landing } = awaited;
      const looked = await this.#lookAt(landing, landing.since === null || this.#hasVisible(landing));
      if ('why' in looked) awaited.why = looked.why;
      else ready.push({ awaited, partitions: looked.partitions });
    }
    if (ready.length === 0 || (await this.#show(ready))) return;
    // One of them cannot be read: the others become visible without it.
    if (ready.length > 1) for (const one of ready) await this.#show([one]);
  }

  /** @returns whether DuckDB can read them */
  async #show(ready: readonly Ready[]): Promise<boolean> {
    const visible = new Map(this.#visible);
    for (const { awaited, partitions } of ready) {
      const { table } = awaited.landing;
      visible.set(table.name, replaced(visible.get(table.name), awaited.landing, partitions));
    }
    try {
      await this.#publish(visible);
    } catch (error) {
      if (ready.length === 1) await this.#putOff(ready, messageOf(error));
      return false;
    }
    for (const { awaited } of ready) {
      const name = landingName(awaited.landing);
      if (this.#awaited.get(name) === awaited) this.#awaited.delete(name);
      if (awaited.landing.since !== null) this.#options.notice('info', `${name} is visible`);
    }
    return true;
  }

  async #putOff(ready: readonly Ready[], why: string): Promise<void> {
    for (const { awaited, partitions } of ready) {
      if (awaited.notBefore === 0)
        this.#options.notice('warning', `${landingName(awaited.landing)} cannot be shown: ${why}`);
      awaited.notBefore = performance.now() + BROKEN;
      awaited.why = 'DuckDB cannot read its files; the log says why';
      await this.#drop(partitions);
    }
  }

  /** Removes snapshots that no version has. */
  async #drop(partitions: readonly VisiblePartition[]): Promise<void> {
    for (const { snapshot } of partitions)
      if (snapshot !== null && !this.#isUsed(snapshot)) await this.#snapshots.remove(snapshot);
  }

  #hasVisible({ table, values }: Landing): boolean {
    return [...(this.#visible.get(table.name)?.values() ?? [])].some((one) => isBelow(one, values));
  }

  async #lookAt({ table, values, since }: Landing, mustRest: boolean): Promise<Looked> {
    const listed = await listPartitions(table, values);
    if (listed.length === 0) return { why: NO_FILES };
    // An event may be told twice, by the client and by its topic: what is visible already need not rest.
    const moving = listed.find(
      (one) => one.isBeingWritten || (mustRest && !this.#isVisible(table, one) && !isAtRest(one)),
    );
    if (moving !== undefined) return { why: 'its files are being written' };
    const partitions: VisiblePartition[] = [];
    const changed = async (): Promise<Looked> => {
      await this.#drop(partitions);
      return { why: 'its files have just changed' };
    };
    for (const one of listed) {
      const snapshot = this.#sameSnapshot(table, one) ?? (await this.#snapshots.take(table, one));
      if (snapshot === 'changed') return changed();
      const { path, values: own, files } = one;
      partitions.push({
        path,
        values: own,
        files,
        snapshot: snapshot === 'impossible' ? null : snapshot,
        since,
      });
    }
    const again = await listPartitions(table, values);
    return isSameListing(listed, again) ? { partitions } : changed();
  }

  /** Whether answers have just these files. */
  #isVisible(table: TableSpec, { path, files }: ListedPartition): boolean {
    const before = this.#visible.get(table.name)?.get(path);
    return before !== undefined && JSON.stringify(before.files) === JSON.stringify(files);
  }

  /** The snapshot that has these files already. */
  #sameSnapshot(table: TableSpec, listed: ListedPartition): number | null {
    return this.#isVisible(table, listed)
      ? (this.#visible.get(table.name)?.get(listed.path)?.snapshot ?? null)
      : null;
  }

  /** Makes a version of DuckDB from it, and remembers it. */
  async #publish(visible: Visible): Promise<void> {
    const { engine } = this.#options;
    this.#count += 1;
    const catalog = `data_${this.#count}`;
    try {
      await engine.control([`ATTACH ':memory:' AS ${quoted(catalog)}`, ...this.#views(catalog, visible)]);
    } catch (error) {
      await engine.control([`DETACH DATABASE IF EXISTS ${quoted(catalog)}`]);
      throw new Error(`the data cannot be read by DuckDB, so the old ones are shown: ${messageOf(error)}`, {
        cause: error,
      });
    }
    const now = performance.now();
    for (const version of this.#versions) version.supersededAt ??= now;
    this.#versions.push({
      catalog,
      visible,
      uses: 0,
      supersededAt: null,
      idOf: remembering((tables) => versionOf(visible, tables)),
    });
    this.#visible = visible;
    await remember(this.#options.folder, visible);
  }

  #views(catalog: string, visible: Visible): string[] {
    const schemas = new Set(this.#options.tables.map(({ name }) => name.split('.')[0] ?? ''));
    const views = this.#options.tables.flatMap((table) => {
      const partitions = [...(visible.get(table.name)?.values() ?? [])];
      const [schema = '', name = ''] = table.name.split('.');
      if (partitions.length === 0) return [];
      return `CREATE VIEW ${quoted(catalog)}.${quoted(schema)}.${quoted(name)} AS ${this.#selectOf(table, partitions)}`;
    });
    return [...[...schemas].map((schema) => `CREATE SCHEMA ${quoted(catalog)}.${quoted(schema)}`), ...views];
  }

  /** The newest files first: DuckDB takes the columns of the first one. */
  #selectOf(table: TableSpec, partitions: readonly VisiblePartition[]): string {
    const newest = newestOf(table, new Map(partitions.map((one) => [one.path, one])));
    const files = [...partitions]
      .sort((left, right) => Number(right === newest) - Number(left === newest))
      .flatMap((partition) => {
        const { snapshot, values } = partition;
        const folder =
          snapshot === null
            ? join(table.location, partition.path)
            : this.#snapshots.folderOf(snapshot, table, values);
        return partition.files.map(({ name }) => literal(join(folder, name)));
      });
    const types = table.levels.map(({ name, type }) => `${literal(name)}: ${LEVEL_SQL[type]}`);
    const hive = types.length === 0 ? 'false' : `true, hive_types = {${types.join(', ')}}`;
    const union = table.columns === 'union' ? ', union_by_name = true' : '';
    return `SELECT * FROM read_parquet([${files.join(', ')}], hive_partitioning = ${hive}${union})`;
  }

  #isUnneeded({ uses, supersededAt }: Held): boolean {
    return uses === 0 && supersededAt !== null && performance.now() - supersededAt >= this.#options.keep;
  }

  async #removeUnneeded(): Promise<void> {
    for (const version of this.#versions.filter((one) => this.#isUnneeded(one))) {
      this.#versions.splice(this.#versions.indexOf(version), 1);
      await this.#options.engine.control([`DETACH ${quoted(version.catalog)}`]);
      for (const snapshot of snapshotsIn(version.visible))
        if (!this.#isUsed(snapshot)) await this.#snapshots.remove(snapshot);
    }
  }

  #isUsed(snapshot: number): boolean {
    return this.#versions.some(({ visible }) => snapshotsIn(visible).has(snapshot));
  }
}

const NO_FILES = 'there are no Parquet files yet';

/** A time that lies ahead says nothing: another machine's clock has set it. */
function isAtRest({ changedAt }: ListedPartition): boolean {
  const age = Date.now() - changedAt;
  return age >= REST || age < -REST;
}

function isBelow({ values }: VisiblePartition, outermost: readonly string[]): boolean {
  return outermost.every((value, index) => values[index] === value);
}

/** What the landing names is replaced as a whole: a partition that is no longer there is no longer visible. */
function replaced(
  table: VisibleTable | undefined,
  { values }: Landing,
  partitions: readonly VisiblePartition[],
): VisibleTable {
  const others = [...(table?.values() ?? [])].filter((one) => !isBelow(one, values));
  return new Map([...others, ...partitions].map((one) => [one.path, one]));
}

/**
 * What a former process made visible, as far as its files are there.
 *
 * @returns undefined: a snapshot is gone, so that the table is looked at as at a first start
 */
async function stillThere(
  table: TableSpec,
  known: VisibleTable,
  snapshots: Snapshots,
): Promise<VisibleTable | undefined> {
  for (const { snapshot, values, files } of known.values()) {
    if (snapshot === null) continue;
    const folder = snapshots.folderOf(snapshot, table, values);
    const there = await Promise.all(files.map(({ name }) => exists(join(folder, name))));
    if (there.includes(false)) return undefined;
  }
  return listedAnew(table, known);
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function listedAnew(table: TableSpec, old: VisibleTable): Promise<VisibleTable> {
  const listed = new Map((await listPartitions(table, [])).map((one) => [one.path, one]));
  return new Map(
    [...old].flatMap(([path, partition]) => {
      const files = listed.get(path)?.files;
      if (partition.snapshot !== null) return [[path, partition] as const];
      return files === undefined ? [] : [[path, { ...partition, files }] as const];
    }),
  );
}

async function hasItsFiles(table: TableSpec, { path, files }: VisiblePartition): Promise<boolean> {
  try {
    for (const { name, size, modified } of files) {
      const now = await stat(join(table.location, path, name));
      if (now.size !== size || Math.round(now.mtimeMs * 1_000) !== modified) return false;
    }
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Many requests ask for the version of the same tables. */
function remembering(compute: (tables: readonly string[]) => string): (tables: readonly string[]) => string {
  const known = new Map<string, string>();
  return (tables) => {
    const key = tables.join();
    const id = known.get(key) ?? compute(tables);
    known.set(key, id);
    return id;
  };
}

const MEMORY = 'visible.json';

async function remember(folder: string, visible: Visible): Promise<void> {
  const part = join(folder, `${MEMORY}.part`);
  await writeFile(part, `${JSON.stringify(visibleToJson(visible))}\n`, { mode: 0o600 });
  await rename(part, join(folder, MEMORY));
}

/** @returns null: there is nothing, or nothing that can be used: then this is a first start */
async function remembered(folder: string): Promise<Visible | null> {
  try {
    return visibleFromJson(parsePlainJson(await readFile(join(folder, MEMORY), 'utf8')));
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return null;
    throw error;
  }
}
