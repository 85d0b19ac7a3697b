import { UserError } from '../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { didYouMean } from '../core/near.ts';
import { sizeText } from '../core/size.ts';
import { findBrokers } from './brokers.ts';
import { interpolateMasked } from './interpolate.ts';
import { hippoName, type LoadedConfig } from './load.ts';
import { type ConfigPath, formatPath } from './path.ts';
import type { Config } from './schema.ts';
import { MASK, looksSecret, maskInside, maskWords } from './secret-words.ts';
import { type SchemaNode, schemaNodesAt, schemaRoot } from './schema-nodes.ts';

/** The origin of a value in force. Lines and columns count from 1. */
export type Origin =
  | { from: 'default' }
  /** `variables`: environment variables that the text at this place names. */
  | { from: 'file'; file: string; line: number; column: number; variables?: string[] }
  | { from: 'profile'; profile: string; file: string; line: number; column: number; variables?: string[] }
  | { from: 'environment'; variable: string }
  /** The local stack that `hippo up` started. */
  | { from: 'stack'; file: string; alive: boolean }
  /** No broker is known: `hippo up` starts one. */
  | { from: 'nowhere' }
  /** The name of the project's folder. */
  | { from: 'folder'; folder: string };

/** One value in force. */
export interface ConfigValue {
  path: ConfigPath;
  /** The path as text: `kafka.sasl.password`, `jobs.load.needs[0].table`. */
  key: string;
  /** A scalar, a list of scalars, or an empty mapping, in the form of hippo.yaml (durations as `30s`, sizes as `64MiB`); secrets are masked. */
  value: Json;
  origin: Origin;
}

export interface ConfigReport {
  /** Absolute; null if there is no hippo.yaml. */
  file: string | null;
  profile: string | null;
  /** In the order of the schema, which is that of the documented hippo.yaml. */
  values: ConfigValue[];
  /** What can run, and is most likely not meant. */
  warnings: readonly string[];
}

/**
 * The effective configuration and where each value of it came from.
 *
 * @param section a key such as `kafka` or `kafka.sasl`; undefined: everything
 * @throws UserError for an unknown section, with similar names
 */
export function reportConfig(
  loaded: LoadedConfig,
  env: NodeJS.ProcessEnv,
  { section, warnings = [] }: { section?: string | undefined; warnings?: readonly string[] } = {},
): ConfigReport {
  const { file, profile, directory } = loaded;
  const { name, type, kafka, ...rest } = loaded.config;
  const hippo = hippoName(loaded);
  const tree = {
    name: hippo,
    ...(type !== undefined && { type }),
    kafka: { brokers: null, ...kafka },
    ...rest,
  };
  const found = findBrokers(loaded, env);
  const elsewhere: Record<string, Pick<ConfigValue, 'value' | 'origin'>> = {
    ...(name === undefined && {
      name: { value: hippo, origin: { from: 'folder', folder: directory } },
    }),
    ...(found?.origin.from !== 'configuration' && {
      'kafka.brokers': { value: found?.brokers ?? null, origin: found?.origin ?? { from: 'nowhere' } },
    }),
  };
  const values = new Reporter(loaded, env)
    .report(asJson(tree), [])
    .map((value) => ({ ...value, ...elsewhere[value.key] }));
  return { file, profile, values: section === undefined ? values : narrow(values, section), warnings };
}

/** The jobs with secrets in their arguments masked. They can still be compiled, because templates stay unchanged. */
export function maskedJobs(loaded: LoadedConfig, env: NodeJS.ProcessEnv): Config['jobs'] {
  return new Reporter(loaded, env).masked(asJson(loaded.config.jobs), ['jobs']) as unknown as Config['jobs'];
}

/** Lists the values of a configuration, masked, and the origin of each. */
class Reporter {
  readonly #loaded: LoadedConfig;
  readonly #env: NodeJS.ProcessEnv;
  readonly #schema = schemaRoot();
  /** The environment variables whose values are secret. */
  readonly #secretVariables: ReadonlySet<string>;

  constructor(loaded: LoadedConfig, env: NodeJS.ProcessEnv) {
    this.#loaded = loaded;
    this.#env = { ...env, ...loaded.environment };
    this.#secretVariables = new Set(
      loaded.interpolations.filter(({ path }) => this.#isSecret(path)).flatMap(({ variables }) => variables),
    );
  }

  report(value: Json, path: ConfigPath): ConfigValue[] {
    if (isLeaf(value))
      return [
        { path, key: formatPath(path), value: this.#shown(value, path), origin: this.#origin(path, value) },
      ];
    const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value as JsonObject);
    return members.flatMap(([key, member]) => this.report(member, [...path, key]));
  }

  /** The same value with secrets masked. */
  masked(value: Json, path: ConfigPath): Json {
    if (typeof value === 'string') return this.#maskedText(value, path);
    if (Array.isArray(value))
      return maskWords(value.map((item, index) => this.masked(item, [...path, index])));
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, this.masked(member, [...path, key])]),
    );
  }

  #shown(value: Json, path: ConfigPath): Json {
    if (typeof value !== 'number') return this.masked(value, path);
    const units = this.#nodes(path).map((node) => node['x-unit']);
    if (units.includes('ms')) return durationText(value);
    return units.includes('B') ? sizeText(value) : value;
  }

  #maskedText(text: string, path: ConfigPath): string {
    if (this.#isSecret(path)) return MASK;
    const source = this.#loaded.source(path);
    const written = 'interpolation' in source ? source.interpolation.written : undefined;
    const isSecret = (variable: string): boolean =>
      this.#secretVariables.has(variable) || looksSecret(variable);
    return maskInside(written === undefined ? text : interpolateMasked(written, this.#env, isSecret, MASK));
  }

  #isSecret(path: ConfigPath): boolean {
    const key = path.at(-1);
    return (
      this.#nodes(path).some((node) => node['writeOnly'] === true) ||
      (typeof key === 'string' && looksSecret(key))
    );
  }

  #nodes(path: ConfigPath): SchemaNode[] {
    return schemaNodesAt(this.#schema, path);
  }

  #variables(path: ConfigPath): string[] {
    const source = this.#loaded.source(path);
    return 'interpolation' in source ? source.interpolation.variables : [];
  }

  #origin(path: ConfigPath, value: Json): Origin {
    const source = this.#loaded.source(path);
    if (source.from === 'default' || source.from === 'environment') return source;
    const { file = '', line = 1, column = 1 } = source.place;
    const variables = [...new Set(textsOf(value, path).flatMap((text) => this.#variables(text)))];
    const place = { file, line, column, ...(variables.length > 0 && { variables }) };
    return source.from === 'file'
      ? { from: 'file', ...place }
      : { from: 'profile', profile: source.profile, ...place };
  }
}

/** Whether a value has one origin: a scalar, a list of scalars, or an empty value. */
function isLeaf(value: Json): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item !== 'object');
  return !isJsonObject(value) || Object.keys(value).length === 0;
}

/** The paths of all texts in a value. */
function textsOf(value: Json, path: ConfigPath): ConfigPath[] {
  if (typeof value === 'string') return [path];
  if (Array.isArray(value)) return value.flatMap((item, index) => textsOf(item, [...path, index]));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => textsOf(member, [...path, key]));
}

/** Milliseconds in the form of hippo.yaml: `90s`, `62d`. */
function durationText(millis: number): string {
  const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };
  const fitting = Object.entries(units).find(([, size]) => millis > 0 && millis % size === 0);
  return fitting === undefined ? `${millis}ms` : `${millis / fitting[1]}${fitting[0]}`;
}

/** The values at and below a key. */
function narrow(values: readonly ConfigValue[], section: string): ConfigValue[] {
  const isMeant = (path: ConfigPath): boolean => [formatPath(path), path.join('.')].includes(section);
  const found = values.filter(({ path }) => path.some((_, index) => isMeant(path.slice(0, index + 1))));
  if (found.length > 0) return found;
  const depth = section.split('.').length;
  throw new UserError(`there is no ${section} in the configuration`, {
    why:
      didYouMean(
        section,
        values.map(({ path }) => formatPath(path.slice(0, depth))),
      ) ?? `Its sections: ${[...new Set(values.map(({ path }) => path[0]))].join(', ')}.`,
    next: ['hippo config', 'hippo schema'],
  });
}

/** A loaded configuration is plain data. */
function asJson(config: object): JsonObject {
  return config as JsonObject;
}
