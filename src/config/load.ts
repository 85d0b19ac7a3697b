import { readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path';
import { EncodingError, decodeText, toUtf8Command } from '../core/encoding.ts';
import { type ErrorPlace, UserError } from '../core/errors.ts';
import { fileReason } from '../core/file-reason.ts';
import { isJsonObject } from '../core/json.ts';
import { didYouMean } from '../core/near.ts';
import type { ConfigDocument } from './document.ts';
import { CONFIG_FILE, findUpward } from './find.ts';
import type { Interpolation } from './interpolate.ts';
import { layer, type Layers, type ValueSource } from './layers.ts';
import { type ConfigPath, formatPath } from './path.ts';
import { problemsError } from './problems.ts';
import type { Config } from './schema.ts';
import { type StackEnvironment, missingIn, stackEnvironment } from './stack-file.ts';
import { validate } from './validate.ts';

export type { ValueSource } from './layers.ts';
export type { ConfigPath } from './path.ts';

export { CONFIG_FILE } from './find.ts';

export interface LoadOptions {
  /** Default: the nearest hippo.yaml, upward from `cwd`. If there is none, the defaults of the schema apply. */
  file?: string | undefined;
  /** Default: $HIPPO_PROFILE, else no profile. */
  profile?: string | undefined;
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Values of variables that neither the environment nor the local stack has, e.g. because the stack is about to be started. */
  assumed?: StackEnvironment;
}

export interface LoadedConfig {
  /** With defaults, variables, profile and environment merged; paths of files are absolute. */
  config: Config;
  /** Absolute; null if there is no hippo.yaml. */
  file: string | null;
  /** The project: the folder of hippo.yaml, or the working directory if there is none. */
  directory: string;
  profile: string | null;
  /** The place of a value, for errors: of a scalar the value itself, of a mapping or list its key. */
  place(path: ConfigPath): ErrorPlace;
  source(path: ConfigPath): ValueSource;
  /** Variables of the local stack that the process's own environment does not have: also for jobs and services. */
  environment: StackEnvironment;
  /** The texts that name environment variables, also those that are then overridden. */
  interpolations: readonly Interpolation[];
  /** The dates in the file of `calendar.holidays`, in order: `2017-12-25`. */
  holidays: readonly string[];
}

/**
 * Reads hippo.yaml.
 *
 * @throws UserError that lists every problem with file, line, column and key
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const file = findFile(options);
  const shown = file === null ? CONFIG_FILE : shorten(file, options.cwd);
  const document = file === null ? emptyDocument(shown) : await parse(file, shown);
  const directory = file === null ? resolve(options.cwd) : dirname(file);
  const profile = chooseProfile(document, options.profile ?? options.env['HIPPO_PROFILE']);
  const environment = missingIn(options.env, stackEnvironment(directory));
  const env = { ...options.env, ...missingIn(options.env, options.assumed ?? {}), ...environment };
  const { config, place, source, interpolations } = assemble(document, profile, env);
  const absolute = withAbsoluteFiles(config, directory);
  const holidays = await holidaysOf(absolute, options.cwd, place);
  return { config: absolute, file, directory, profile, place, source, environment, interpolations, holidays };
}

async function holidaysOf(
  { calendar }: Config,
  cwd: string,
  place: LoadedConfig['place'],
): Promise<string[]> {
  const { holidays: file } = calendar;
  if (file === undefined) return [];
  const { readHolidays } = await import('./holidays.ts');
  return readHolidays(calendar, {
    file,
    shown: shorten(file, cwd),
    setting: place(['calendar', 'holidays']),
  });
}

/** The hippo's name, as in its messages. */
export function hippoName(loaded: Pick<LoadedConfig, 'config' | 'directory'>): string {
  return loaded.config.name ?? basename(loaded.directory);
}

function findFile({ file, cwd }: LoadOptions): string | null {
  return file === undefined ? (findUpward(cwd, CONFIG_FILE) ?? null) : resolve(cwd, file);
}

/** The configuration if there is no hippo.yaml. */
function emptyDocument(file: string): ConfigDocument {
  const place = (path: ConfigPath): ErrorPlace => ({
    ...{ file, line: 1, column: 1 },
    ...(path.length > 0 && { key: formatPath(path) }),
  });
  return { file, tree: {}, has: () => false, place, placeOfKey: place };
}

async function parse(file: string, shown: string): Promise<ConfigDocument> {
  const text = read(file, shown);
  const { readDocument } = await import('./document.ts');
  return readDocument(text, shown);
}

function read(file: string, shown: string): string {
  try {
    return decodeText(readFileSync(file));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const encoding = error instanceof EncodingError ? error.encoding : undefined;
    const mend = encoding === undefined ? [] : [toUtf8Command(shown, encoding)];
    throw new UserError(missing ? `there is no ${shown}` : `${shown} cannot be read`, {
      ...(missing ? {} : { why: fileReason(error) }),
      next: missing
        ? ['correct --config or HIPPO_CONFIG', 'or leave them out: hippo then takes the nearest hippo.yaml']
        : mend,
      place: { file: shown },
    });
  }
}

/** The path relative to `cwd`, if that is shorter. */
function shorten(file: string, cwd: string): string {
  const path = relative(cwd, file);
  return path.startsWith('..') || isAbsolute(path) ? file : path;
}

function chooseProfile(document: ConfigDocument, wanted: string | undefined): string | null {
  if (wanted === undefined || wanted === '') return null;
  const { profiles } = document.tree;
  const known = isJsonObject(profiles) ? Object.keys(profiles) : [];
  if (known.includes(wanted)) return wanted;
  throw new UserError(`there is no profile ${wanted}`, {
    why: [
      didYouMean(wanted, known),
      known.length === 0 ? `${document.file} has no profiles.` : `${document.file} has: ${known.join(', ')}.`,
    ]
      .filter((line) => line !== undefined)
      .join('\n'),
    place: document.placeOfKey(['profiles']),
  });
}

/** Names each problem by the place where its value is written; a problem that two layers share is reported once. */
function assemble(
  document: ConfigDocument,
  profile: string | null,
  env: NodeJS.ProcessEnv,
): Layers & { config: Config } {
  const layers = layer(document, profile, env);
  const checked = validate(layers.tree, layers.fromVariable);
  const unset = new Set(layers.problems.map(({ path }) => formatPath(path)));
  const problems = [
    ...layers.problems.map(({ path, message }) => ({ place: layers.place(path), message })),
    ...(checked.ok ? [] : checked.explanations)
      .filter(({ path }) => !unset.has(formatPath(path)))
      .map(({ path, message, atKey }) => ({
        place: atKey ? layers.placeOfKey(path) : layers.place(path),
        message,
      })),
  ];
  if (problems.length > 0 || !checked.ok) throw problemsError(document.file, problems);
  return { ...layers, config: checked.config };
}

/** Paths of files are relative to the folder of hippo.yaml, not to the working directory. */
function withAbsoluteFiles(config: Config, directory: string): Config {
  const { kafka, calendar } = config;
  const { tls, sasl } = kafka;
  const absolute = <T extends object>(settings: T): T =>
    Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [
        key,
        key.endsWith('_file') && typeof value === 'string' ? resolve(directory, value) : (value as unknown),
      ]),
    ) as T;
  return {
    ...config,
    calendar: {
      ...calendar,
      ...(calendar.holidays !== undefined && { holidays: resolve(directory, calendar.holidays) }),
    },
    kafka: {
      ...kafka,
      tls: typeof tls === 'object' ? absolute(tls) : tls,
      ...(sasl && { sasl: absolute(sasl) }),
    },
  };
}
