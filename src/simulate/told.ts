/** What services have announced: lines of `$HIPPO_EVENTS_FILE`. */
import { readFile } from 'node:fs/promises';
import { readEvents } from '../client/host/services/events-file.ts';
import type { Config } from '../config/schema.ts';
import type { Definition, ToldEvent } from '../client/machine/index.ts';
import { UserError } from '../core/errors.ts';
import { fileReason } from '../core/file-reason.ts';
import type { SkippedPath } from './listing.ts';

export interface ToldFile {
  service: string;
  events: readonly ToldEvent[];
  /** Lines that are no events. */
  refused: readonly SkippedPath[];
}

const HOW = 'hippo simulate --announced SERVICE=FILE';

/**
 * @param word `SERVICE=FILE`
 * @throws UserError for a service that hippo.yaml does not have, and a file that cannot be read
 */
export async function readTold(
  word: string,
  { services }: Definition,
  config: Pick<Config, 'services'>,
): Promise<ToldFile> {
  const equals = word.indexOf('=');
  const [service, file] = [word.slice(0, Math.max(0, equals)), word.slice(equals + 1)];
  if (service === '' || file === '')
    throw new UserError(`--announced must be SERVICE=FILE, not ${JSON.stringify(word)}`, { next: [HOW] });
  if (!services.has(service)) {
    const known = services.size === 0 ? 'no services' : [...services.keys()].join(', ');
    throw new UserError(`there is no service ${service}`, {
      why: `hippo.yaml has ${known}.`,
      next: ['hippo config services'],
    });
  }
  if (config.services[service]?.events === undefined) {
    throw new UserError(`the service ${service} announces nothing`, {
      why: 'It has no `events` in hippo.yaml, so it gets no $HIPPO_EVENTS_FILE.',
      next: [`hippo config services.${service}`],
    });
  }
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new UserError(`${file} cannot be read`, { why: fileReason(error), next: [HOW], place: { file } });
  }
  const refused: SkippedPath[] = [];
  const events = readEvents(bytes, (line, reason) =>
    refused.push({ path: `line ${line}`, reason, unfinished: false }),
  );
  return { service, events, refused };
}
