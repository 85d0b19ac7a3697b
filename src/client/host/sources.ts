/** The sources of a hippo.yaml, ready to be scanned. */
import { resolve } from 'node:path';
import type { LoadedConfig } from '../../config/load.ts';
import { SOURCE_KINDS, type SourceConfig, type SourceKind, type SourceOf } from '../../config/schema.ts';
import type { Millis } from '../../core/clock.ts';
import { firstTwice } from '../../core/twice.ts';
import { hadoopUser } from '../../core/user-name.ts';
import {
  FolderScanner,
  HdfsScanner,
  type Levels,
  S3Scanner,
  type Scanner,
  type SqlRead,
  SqlScanner,
  parseLevels,
  parseS3Url,
} from '../../sources/index.ts';
import type { CompileProblem, SourceDefinition } from '../machine/index.ts';

/** A source, and how it is scanned. */
export interface WatchedSource {
  readonly source: SourceDefinition;
  readonly scanner: Scanner;
  /** The pause between two scans, milliseconds. */
  readonly every: Millis;
  /** Clients report what has landed: there is nothing to scan. */
  readonly listening?: Listening;
}

/** Where reports of landings are taken. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  /** The bearer token of each request. */
  readonly token: { readonly text: string } | { readonly file: string };
  /** The names of a partition's levels, in their order; null: any. */
  readonly levels: readonly string[] | null;
  /** Requests a second. */
  readonly rate: number;
}

/** How a source of one kind watches. */
type Watching = Pick<WatchedSource, 'scanner' | 'every' | 'listening'> &
  Pick<SourceDefinition, 'startFrom' | 'settle'>;

interface Surroundings {
  /** The folder of hippo.yaml. */
  directory: string;
  /** @param key of the source's own, such as `levels` */
  complain: (key: string, problem: Omit<CompileProblem, 'path'>) => void;
}

/** @returns undefined after a complaint */
type Compile<Kind extends SourceKind> = (
  source: SourceOf<Kind>,
  surroundings: Surroundings,
) => Watching | undefined;

/** A new kind of source is one entry here, and its settings in config/schema.ts. */
const KINDS: { readonly [Kind in SourceKind]: Compile<Kind> } = {
  folder(source, surroundings) {
    const { folder, complete, mounted } = source;
    const levels = levelsOf(source, surroundings);
    const refusal = refusalOf(folder);
    if (refusal !== undefined) surroundings.complain('folder', refusal);
    if (levels === undefined || refusal !== undefined) return undefined;
    const scanner = new FolderScanner({
      folder: resolve(surroundings.directory, folder),
      levels,
      marker: complete ?? null,
      isMount: mounted,
    });
    return { scanner, ...timesOf(source), settle: settleOf(source) };
  },

  sql(source, { directory, complain }) {
    const { url, password_file, connect_timeout, timeout, levels } = source.sql;
    const twice = firstTwice(levels);
    if (twice !== undefined) {
      complain('sql', { message: `levels has ${twice} twice`, allowed: 'each column once' });
      return undefined;
    }
    const scanner = new SqlScanner({
      url,
      passwordFile: password_file === undefined ? null : resolve(directory, password_file),
      connectTimeout: connect_timeout,
      timeout,
      levels,
      read: sqlReadOf(source),
    });
    return { scanner, ...timesOf(source), settle: 0 };
  },
  s3(source, surroundings) {
    const { url, endpoint, region, path_style, profile, request_timeout } = source.s3;
    const levels = levelsOf(source, surroundings);
    if (levels === undefined) return undefined;
    const scanner = new S3Scanner({
      ...parseS3Url(url),
      endpoint,
      region,
      pathStyle: path_style ?? endpoint !== undefined,
      profile,
      timeout: request_timeout,
      levels,
      marker: source.complete ?? null,
    });
    return { scanner, ...timesOf(source), settle: settleOf(source) };
  },
  hdfs(source, surroundings) {
    const { path, namenodes, user, request_timeout } = source.hdfs;
    const levels = levelsOf(source, surroundings);
    if (levels === undefined) return undefined;
    const scanner = new HdfsScanner({
      path,
      addresses: namenodes,
      user: user ?? hadoopUser(process.env),
      timeout: request_timeout,
      levels,
      marker: source.complete ?? null,
    });
    return { scanner, ...timesOf(source), settle: settleOf(source) };
  },

  http({ http }, { directory, complain }) {
    const { host, port, token, token_file, levels, rate } = http;
    const twice = firstTwice(levels ?? []);
    if (twice !== undefined) {
      complain('http', { message: `levels has ${twice} twice`, allowed: 'each level once' });
      return undefined;
    }
    const listening: Listening = {
      host,
      port,
      token: token === undefined ? { file: resolve(directory, token_file ?? '') } : { text: token },
      levels: levels ?? null,
      rate,
    };
    const at = host.includes(':') ? `[${host}]` : host;
    const scanner = new NothingToScan(`http://${at}:${port}/landed`);
    return { scanner, listening, every: NEVER, startFrom: 'beginning', settle: 0 };
  },
};

/** Of a source that is not scanned, milliseconds. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** In the place of a scanner, where landings are reported. */
class NothingToScan implements Scanner {
  readonly place: string;
  readonly lists = 'any number';

  constructor(place: string) {
    this.place = place;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- there is nothing to wait for
  async *scan(): AsyncGenerator<never> {
    yield* [];
  }
}

/** What cannot be a path, although a folder of that name could exist: `./~` and `./s3:` are paths. */
function refusalOf(folder: string): Omit<CompileProblem, 'path'> | undefined {
  if (folder.startsWith('~')) {
    const home = folder.replace(/^~(?=\/|$)/, '${HOME}');
    const allowed = home === folder ? 'a path' : `a path, such as ${home}`;
    return { message: 'no shell reads hippo.yaml, so ~ does not stand for a home folder', allowed };
  }
  const [, scheme] = /^([a-z][a-z\d+.-]*):\//i.exec(folder) ?? [];
  if (scheme === undefined) return undefined;
  return {
    message: `a URL (${scheme}:) is no folder`,
    allowed: 'a path on this machine, or on a mount; S3 and HDFS have the keys s3 and hdfs',
  };
}

/** How long files must not have changed where no marker says that they are complete, milliseconds. */
const SETTLE = 60_000;

/** Checks what the schema cannot. A problem is added to the list, and its source is left out. */
export function compileSources(
  { config, directory }: Pick<LoadedConfig, 'config' | 'directory'>,
  problems: CompileProblem[],
): WatchedSource[] {
  /** host:port → the source that listens there. */
  const ports = new Map<string, string>();
  return Object.entries(config.sources).flatMap(([name, source]): WatchedSource[] => {
    const path = ['sources', name];
    if (Object.hasOwn(config.jobs, name)) {
      problems.push({
        path,
        message: `a job has the same name`,
        allowed: 'a name that no job has',
      });
      return [];
    }
    const watching = compileSource(source, {
      directory,
      complain: (key, problem) => problems.push({ path: [...path, key], ...problem }),
    });
    if (watching === undefined) return [];
    const { scanner, every, listening, startFrom, settle } = watching;
    const port =
      listening === undefined || listening.port === 0 ? null : `${listening.host}:${listening.port}`;
    const other = ports.get(port ?? '');
    if (port !== null && other !== undefined) {
      const message = `the source ${other} listens on ${port}`;
      problems.push({
        path: [...path, 'http', 'port'],
        message,
        allowed: 'a port of its own for each source, or 0',
      });
      return [];
    }
    if (port !== null) ports.set(port, name);
    const definition = { ...announcedAs(name, source, config.trigger), startFrom, settle };
    return listening === undefined
      ? [{ source: definition, scanner, every }]
      : [{ source: { ...definition, takesReports: true }, scanner, every, listening }];
  });
}

function compileSource(source: SourceConfig, surroundings: Surroundings): Watching | undefined {
  const kind = SOURCE_KINDS.find((key) => key in source) ?? SOURCE_KINDS[0];
  // The kind that the source's key says is the kind of its settings.
  return (KINDS[kind] as Compile<SourceKind>)(source, surroundings);
}

function announcedAs(
  name: string,
  { table, method, dialect }: SourceConfig,
  defaults: LoadedConfig['config']['trigger'],
): Omit<SourceDefinition, 'startFrom' | 'settle'> {
  const dot = table.indexOf('.');
  return {
    name,
    db: table.slice(0, dot),
    table: table.slice(dot + 1),
    method: method ?? defaults.method,
    dialect: dialect ?? defaults.dialect,
  };
}

function sqlReadOf({ sql, table, start_from }: SourceOf<'sql'>): SqlRead {
  if ('query' in sql) return { query: sql.query };
  const { from, watermark, overlap } = sql;
  const startsAtEnd = start_from === 'end';
  return { from: from.split('.'), watermark, overlap: overlap ?? null, of: table, startsAtEnd };
}

function timesOf({ every, start_from }: Pick<SourceOf<'folder' | 'sql'>, 'every' | 'start_from'>): {
  every: Millis;
  startFrom: SourceDefinition['startFrom'];
} {
  return { every, startFrom: start_from };
}

/** Of a source that lists folders. */
function settleOf({ settle, complete }: Pick<SourceOf<'folder'>, 'settle' | 'complete'>): Millis {
  return settle ?? (complete === undefined ? SETTLE : 0);
}

/** Of a source that lists folders. @returns undefined after a complaint */
function levelsOf(
  { levels: pattern }: Pick<SourceOf<'folder'>, 'levels'>,
  { complain }: Surroundings,
): Levels | undefined {
  const levels = parseLevels(pattern);
  if (levels.ok) return levels.levels;
  const { message, allowed } = levels;
  complain('levels', { message, allowed });
  return undefined;
}
