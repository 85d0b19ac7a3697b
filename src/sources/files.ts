/** What reads single files of places needs of them: how NameNodes and S3 are asked, and what their errors mean. */
import type { OpenedClient } from './s3-client.ts';
import type { S3Settings } from './s3-settings.ts';

export { NameNodes, RefusedError, SilentError } from './namenodes.ts';
export { parseS3Url } from './s3.ts';
export type { S3Object } from './s3-client.ts';
export type { S3Settings } from './s3-settings.ts';
export { troubleOf } from './s3-trouble.ts';

/** Loads AWS's SDK, 1 MB of code. */
export async function openS3(settings: S3Settings): Promise<OpenedClient> {
  const { openClient } = await import('./s3-client.ts');
  return openClient(settings);
}
