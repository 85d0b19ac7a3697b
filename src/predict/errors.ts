/** Why a version of a model is not loaded. */
import { NotFineError, ServiceError } from '../core/errors.ts';

/** Which version of which model. */
export interface VersionName {
  /** Of the model, as hippo.yaml has it. */
  name: string;
  /** `20261128T234539Z-d2680d` */
  version: string;
}

/** What is wrong with a file of a version. The loader makes a {@link ModelRefused} of it. */
export class Flaw extends Error {
  /** The file's name in the version's folder. */
  readonly file: string;
  /** The key inside the file, e.g. `metrics.accuracy`. */
  readonly key: string | undefined;
  readonly next: readonly string[] | undefined;

  /** @param message after the file's name and a colon: `"metrics.accuracy" is missing` */
  constructor(file: string, message: string, details: { key?: string; next?: readonly string[] } = {}) {
    super(message);
    this.file = file;
    this.key = details.key;
    this.next = details.next;
  }
}

/**
 * The version was read and cannot serve: a file is missing or damaged, or this hippo does not know its form. Another try fails in
 * the same way.
 */
export class ModelRefused extends NotFineError {
  readonly model: string;
  readonly version: string;

  /** @param path of the file with the flaw, e.g. `/data/models/iris/2026…/manifest.json` */
  constructor({ name, version }: VersionName, path: string, flaw: Flaw) {
    super(`version ${version} of the model ${name} is refused: ${flaw.file}: ${flaw.message}`, {
      why: `${path} does not fit`,
      next: flaw.next ?? [
        `to train a new version: hippo model build ${name}`,
        `to serve an older version: hippo model rollback ${name}`,
      ],
      place: { file: path, ...(flaw.key === undefined ? {} : { key: flaw.key }) },
      cause: flaw,
    });
    this.model = name;
    this.version = version;
  }
}

/** The version could not be read, which says nothing about it: the place is away, or denies the right. Another try may help. */
export class ModelAway extends ServiceError {}
