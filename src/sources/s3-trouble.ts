/** What S3's errors mean, and what to do about them. */
import { formatDuration } from '../core/duration.ts';
import { networkReason } from '../core/network-reason.ts';
import type { S3Settings } from './s3-settings.ts';

export interface S3Trouble {
  /**
   * `busy`: it will answer later. `broken`: another try may help. `denied`: a right is missing, maybe for a part of the bucket
   * only. `final`: another try fails in the same way. `setting`: so it does, because of what is set of the bucket.
   */
  kind: 'busy' | 'broken' | 'denied' | 'final' | 'setting';
  /** Without anything that S3 has said of credentials. */
  why: string;
}

export interface S3Request extends S3Settings {
  /** It was called off because it took longer than `timeout`. */
  isLate: boolean;
  /** What was asked for: the list below the prefix, or the object of this key. */
  key?: string;
}

/** The answer is read without an error, and is none to the question. */
export class NotS3Error extends Error {
  readonly $metadata: { httpStatusCode?: number };
  /** What is wrong with it, if its status does not say it. */
  readonly flaw: string | undefined;

  constructor(metadata: { httpStatusCode?: number | undefined }, flaw?: string) {
    super('not a list');
    this.flaw = flaw;
    const { httpStatusCode } = metadata;
    this.$metadata = httpStatusCode === undefined ? {} : { httpStatusCode };
  }
}

/** The fields of the SDK's errors that are used; each may be missing. */
interface SdkError {
  name: string;
  message: string;
  status: number | undefined;
  /** Where the bucket is, if the answer says so. */
  region: string | undefined;
}

const BUSY = ['SlowDown', 'ServiceUnavailable', 'Throttling', 'ThrottlingException', 'RequestLimitExceeded'];
const EXPIRED = ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestExpired'];
const BAD_CREDENTIALS = [
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'UnrecognizedClientException',
];
const CREDENTIALS =
  'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (or s3.profile), where the client runs';

/** @param error what the SDK threw */
export function troubleOf(error: unknown, request: S3Request): S3Trouble {
  const { endpoint, bucket, timeout, isLate } = request;
  const where = endpoint ?? 'AWS';
  if (isLate) return { kind: 'broken', why: `${where} has not answered within ${formatDuration(timeout)}` };
  const { name, message, status, region } = readError(error);
  const code = status === undefined || name === String(status) ? name : `${status} ${name}`;
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return final(credentialsMissing(message, request));
  if (/region is missing/i.test(message)) return setting('no region is set: set s3.region, or AWS_REGION');
  if (BUSY.includes(name) || status === 503 || status === 429) return { kind: 'busy', why: code };
  if (EXPIRED.includes(name))
    return final(`the credentials have expired (${code}): renew them where the client runs`);
  if (BAD_CREDENTIALS.includes(name))
    return final(`${where} does not accept the credentials (${code}): ${CREDENTIALS}`);
  if (name === 'RequestTimeTooSkewed')
    return final(`this machine's clock is wrong (${code}): set it, e.g. with chrony`);
  if (name === 'NoSuchBucket')
    return setting(
      `there is no bucket ${bucket} at ${where} (${code}): check ${request.key === undefined ? 's3.url' : 'the location'} and s3.endpoint`,
    );
  if (
    status === 301 ||
    status === 307 ||
    name === 'AuthorizationHeaderMalformed' ||
    name === 'PermanentRedirect'
  )
    return setting(
      `the bucket is in another region (${code}): set s3.region${region === undefined ? '' : `: ${region}`}`,
    );
  if (status === 403) return { kind: 'denied', why: `${where} denies ${rightOf(request, code)}` };
  if (status !== undefined && status >= 500) return { kind: 'broken', why: `${where} answers ${code}` };
  if (error instanceof NotS3Error && error.flaw !== undefined)
    return final(`${where} does not answer as S3 does (${error.flaw}): check s3.endpoint`);
  if (error instanceof NotS3Error || /xml|deserialization/i.test(message))
    return final(
      `${where} does not answer as S3 does${status === undefined ? '' : ` (status ${status})`}: check s3.endpoint`,
    );
  if (status === undefined)
    return { kind: 'broken', why: `${where} cannot be reached: ${networkReason(error)}` };
  return final(`${where} answers ${code}: ${line(message)}`);
}

function rightOf({ bucket, prefix, key }: S3Request, code: string): string {
  return key === undefined
    ? `the list (${code}): the credentials need s3:ListBucket on ${bucket}${prefix === '' ? '' : ` for ${prefix}`}`
    : `the object (${code}): the credentials need s3:GetObject on ${bucket}/${key}, and s3:ListBucket on ${bucket} to see that it is missing`;
}

/** @param message the SDK's, which has no credentials */
function credentialsMissing(message: string, { profile }: S3Request): string {
  const named = profile ?? process.env['AWS_PROFILE'] ?? '';
  const ofProfile = named === '' ? '' : ` in the profile ${named}`;
  return /\bexpired\b|\bsso\b/i.test(message)
    ? `the credentials${ofProfile} have expired: renew them where the client runs, e.g. with aws sso login`
    : `there are no AWS credentials${ofProfile}: ${CREDENTIALS}`;
}

function final(why: string): S3Trouble {
  return { kind: 'final', why };
}

function setting(why: string): S3Trouble {
  return { kind: 'setting', why };
}

function readError(error: unknown): SdkError {
  if (!(error instanceof Error))
    return { name: 'unknown', message: '', status: undefined, region: undefined };
  const { name, message } = error;
  const { $metadata, $response, Region } = error as Partial<{
    $metadata: { httpStatusCode?: number };
    $response: { statusCode?: number; headers?: Readonly<Record<string, string>> };
    Region: unknown;
  }>;
  const region = Region ?? $response?.headers?.['x-amz-bucket-region'];
  return {
    name,
    message,
    status: $metadata?.httpStatusCode ?? $response?.statusCode,
    region: typeof region === 'string' ? region : undefined,
  };
}

function line(text: string): string {
  return (text.trim().split('\n', 1)[0] ?? '').slice(0, 200);
}
