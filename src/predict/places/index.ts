import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError, messageOf } from '../../core/errors.ts';
import type { ModelPlace } from '../types.ts';
import { LocalFolder } from './local.ts';
import type { VersionFolder } from './place.ts';

/**
 * @param version a folder's name
 * @throws UserError where the location cannot be one
 */
export function openVersion({ location }: ModelPlace, version: string): VersionFolder {
  const [, scheme = ''] = /^([a-z][a-z\d+.-]+):/i.exec(location) ?? [];
  switch (scheme.toLowerCase()) {
    case '':
      return new LocalFolder(resolve(location), version);
    case 'file':
      return new LocalFolder(pathOf(location), version);
    default:
      throw new UserError(`the location ${location} of a model cannot be read`, {
        why: `${scheme}: is not one of file, hdfs, s3a, s3`,
      });
  }
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new UserError(`the location ${url} of a model is no path`, { why: messageOf(error), cause: error });
  }
}
