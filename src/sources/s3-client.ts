/** The only user of AWS's SDK: what imports this file loads 1 MB of code. */
import {
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  S3Client,
} from '@aws-sdk/client-s3';
import type { S3Settings } from './s3-settings.ts';

export interface OpenedClient {
  client: S3Client;
  list: (input: ListObjectsV2CommandInput, signal: AbortSignal) => Promise<ListObjectsV2CommandOutput>;
}

/** Credentials are those that AWS's own programs take: variables, profiles, web identity, container, instance. */
export function openClient({ endpoint, region, pathStyle, profile }: S3Settings): OpenedClient {
  const client = new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    forcePathStyle: pathStyle,
    // The place tries again itself: it knows what is worth waiting for.
    maxAttempts: 1,
    // Each scan reads the profiles anew: the SDK hands its configuration on to what looks for credentials.
    ...{ ignoreCache: true },
  });
  return {
    client,
    list: (input, signal) => client.send(new ListObjectsV2Command(input), { abortSignal: signal }),
  };
}
