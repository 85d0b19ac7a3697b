/** Loads one version of a model. */
import { UserError } from '../core/errors.ts';
import { loadClassifier } from './classifier.ts';
import { Flaw, ModelRefused, type VersionName } from './errors.ts';
import { VersionFiles } from './files.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { Pace } from './pace.ts';
import { openVersion } from './places/index.ts';
import { loadRecommender } from './recommender.ts';
import type { Model, ModelPlace } from './types.ts';

export interface LoadOptions extends VersionName {
  /** What manifest.json must have, 64 hex digits; undefined: anything. */
  readonly manifestSha256?: string | undefined;
  /** Calls the loading off, which then throws its reason. */
  readonly signal: AbortSignal;
}

/** So that the version is a folder in the place, whatever a message says. */
const VERSION = /^(?!\.)[\w.-]{1,128}$/;

/**
 * Reads a version, checks it, and makes it ready to predict. The event loop turns all few milliseconds meanwhile.
 *
 * @throws ModelRefused where the version is missing, damaged, or of a form that this hippo does not know
 * @throws ModelAway where it could not be read
 * @throws UserError where the place is not set as it must be
 */
export async function loadModel(place: ModelPlace, options: LoadOptions): Promise<Model> {
  return withFiles(place, options, async (files, pace) => {
    const manifest = await manifestOf(files, options);
    return manifest.kind === 'classifier'
      ? loadClassifier(files, manifest, pace)
      : loadRecommender(files, manifest, pace);
  });
}

/** Reads and checks the manifest alone. It throws as {@link loadModel} does. */
export async function readManifest(place: ModelPlace, options: LoadOptions): Promise<Manifest> {
  return withFiles(place, options, (files) => manifestOf(files, options));
}

async function manifestOf(files: VersionFiles, options: LoadOptions): Promise<Manifest> {
  return parseManifest(await files.manifest(options.manifestSha256), options);
}

async function withFiles<T>(
  place: ModelPlace,
  options: LoadOptions,
  work: (files: VersionFiles, pace: Pace) => Promise<T>,
): Promise<T> {
  const { version, signal } = options;
  if (!VERSION.test(version))
    throw new UserError(`"${version}" cannot be a version of a model`, {
      why: 'a version has letters, digits, "_", "-" and ".", and does not begin with "."',
    });
  signal.throwIfAborted();
  const folder = openVersion(place, version);
  const pace = new Pace(signal);
  try {
    return await work(new VersionFiles(folder, signal, pace), pace);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Flaw) throw new ModelRefused(options, folder.pathOf(error.file), error);
    throw error;
  } finally {
    folder.close();
  }
}
