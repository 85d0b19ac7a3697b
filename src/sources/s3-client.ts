/** The only user of AWS's SDK: what imports this file loads 1 MB of code. */
import type { Readable } from 'node:stream';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  S3Client,
} from '@aws-sdk/client-s3';
import type { S3Settings } from './s3-settings.ts';

export interface OpenedClient {
  client: S3Client;
  list: (input: ListObjectsV2CommandInput, signal: AbortSignal) => Promise<ListObjectsV2CommandOutput>;
  /** @param signal of the whole body too */
  get: (key: string, signal: AbortSignal) => Promise<S3Object>;
}

export interface S3Object {
  /** The size, if the answer says it. */
  bytes: number | undefined;
  /** By node:http. */
  body: Readable;
}

/** Credentials are those that AWS's own programs take: variables, profiles, web identity, container, instance. */
export function openClient({ bucket, endpoint, region, pathStyle, profile }: S3Settings): OpenedClient {
  const client = new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    forcePathStyle: pathStyle,
    // The place tries again itself: it knows what is worth waiting for.
    maxAttempts: 1,
    // Who reads an object knows its SHA-256.
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Each scan reads the profiles anew: the SDK hands its configuration on to what looks for credentials.
    ...{ ignoreCache: true },
  });
  return {
    client,
    list: (input, signal) => client.send(new ListObjectsV2Command(input), { abortSignal: signal }),
    get: async (key, signal) => {
      const asked = new GetObjectCommand({ Bucket: bucket, Key: key });
      const { Body, ContentLength: bytes } = await client.send(asked, { abortSignal: signal });
      return { bytes, body: Body as Readable };
    },
  };
}
