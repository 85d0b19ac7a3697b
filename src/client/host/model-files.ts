/** `$HIPPO_MODEL_FILE`: what builders are told to build, and what services are told to serve. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Config, ModelConfig } from '../../config/schema.ts';
import { isoTime } from '../../core/clock.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ModelState } from '../../state/index.ts';
import { OwnerFiles } from './owner-files.ts';

/**
 * The place of a model's versions as a URL.
 *
 * @param directory the folder of hippo.yaml
 */
export function modelUrl(directory: string, location: string): string {
  if (location.startsWith('s3://')) return `s3a://${location.slice('s3://'.length)}`.replace(/\/+$/, '');
  if (/^(hdfs|s3a|file):\/\//.test(location)) return location.replace(/(?<=[^/])\/+$/, '');
  return pathToFileURL(resolve(directory, location)).href;
}

/** The files of attempts of builders. */
export class BuildFiles extends OwnerFiles {
  /** @param owner see {@link OwnerFiles} */
  constructor(directory: string, owner: string) {
    super(directory, 'models', owner);
  }

  /** @throws Error when the file cannot be written */
  write(attemptId: string, model: JsonObject): void {
    this.makeFolder();
    writeFileSync(this.path(attemptId), `${JSON.stringify(model)}\n`, { mode: 0o644 });
  }
}

/** A model that a service serves, and the place of its versions. */
export interface ServedModel extends Pick<ModelConfig, 'hdfs' | 's3'> {
  readonly name: string;
  readonly location: string;
}

/** @param directory the folder of hippo.yaml */
export function servedModels(
  { models }: Pick<Config, 'models'>,
  service: string,
  directory: string,
): ServedModel[] {
  return Object.entries(models)
    .filter(([, config]) => [config.service ?? []].flat().includes(service))
    .map(([name, { location, hdfs, s3 }]) => ({
      name,
      location: modelUrl(directory, location),
      ...(hdfs === undefined ? {} : { hdfs }),
      ...(s3 === undefined ? {} : { s3 }),
    }));
}

/**
 * Tells a service which version of each of its models to serve. The file is written whole or not at all: a service may read it
 * at any time.
 *
 * @throws Error when it cannot be written
 */
export function writeServedFile(
  path: string,
  models: readonly ServedModel[],
  states: ReadonlyMap<string, ModelState>,
): void {
  const content = Object.fromEntries(
    models.map(({ name, ...place }) => [name, { ...place, ...servingOf(states.get(name)) }]),
  );
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const part = `${path}.part`;
  writeFileSync(part, `${JSON.stringify({ models: content })}\n`, { mode: 0o644 });
  renameSync(part, path);
}

function servingOf(state: ModelState | undefined): JsonObject {
  const serving = state?.versions.find(({ version }) => version === state.serving);
  if (state === undefined || serving === undefined) return { serving: null, since: null };
  const { version, manifestSha256 } = serving;
  return {
    serving: { version, manifest_sha256: manifestSha256 },
    since: state.since === null ? null : isoTime(state.since),
  };
}
