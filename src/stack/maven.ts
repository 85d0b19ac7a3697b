import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ChildError, UserError } from '../core/errors.ts';
import { execa } from '../core/exec.ts';
import { type Artifact, pomOf } from './pom.ts';

export interface Fetching {
  /** The name of the pom: `local-kafka`. */
  name: string;
  artifacts: readonly Artifact[];
  /** Whether the jars are put into folders by group, artifact and version, as in Maven's own repository. */
  inFolders?: boolean;
  /** What is fetched, as the subject of an error: `Kafka`. */
  what: string;
  /** Remedies besides those about Maven and the network. */
  instead: readonly string[];
  /** Called with progress. */
  update: (detail: string) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Fetches jars with Maven.
 *
 * @param directory an empty folder; the pom is written there
 * @returns the folder `lib` in it, with the jars
 * @throws UserError if there is no Maven, ChildError if it fails
 */
export async function fetchArtifacts(
  directory: string,
  { name, artifacts, inFolders = false, what, instead, update, signal }: Fetching,
): Promise<string> {
  const pom = join(directory, 'pom.xml');
  const lib = join(directory, 'lib');
  await mkdir(lib);
  await writeFile(pom, pomOf(name, artifacts));
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${lib}`];
  const layout = inFolders ? ['-Dmdep.useRepositoryLayout=true'] : [];
  const maven = execa('mvn', ['--batch-mode', '--file', pom, ...goal, ...layout], {
    reject: false,
    all: true,
    stdin: 'ignore',
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  let fetched = 0;
  for await (const line of maven.iterable({ from: 'all' })) {
    const jar = /Downloaded from \S+: \S*\/([^/\s]+\.jar)/.exec(line)?.[1];
    if (jar !== undefined) update(`${String(++fetched)} files, last ${jar}`);
  }
  const result = await maven;
  signal?.throwIfAborted();
  if (!result.failed) return lib;
  if (result.code === 'ENOENT') {
    throw new UserError(`${what} is not here, and Maven, which would fetch it, was not found`, {
      next: ['install Maven, e.g. apt install maven', ...instead],
    });
  }
  const said = result.all
    .split('\n')
    .filter((line) => line.includes('[ERROR]'))
    .slice(0, 3);
  throw new ChildError(`${what} could not be fetched`, {
    why: said.join('\n') || result.shortMessage,
    next: ['check the network and ~/.m2/settings.xml, then repeat the command', ...instead],
  });
}
