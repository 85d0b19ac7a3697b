/** `$HIPPO_MODEL_FILE`: what builders are told to build, and what services are told to serve. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

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
