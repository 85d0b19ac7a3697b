import type { Millis } from '../core/clock.ts';

/** Where a bucket is, and how it is asked. */
export interface S3Settings {
  bucket: string;
  /** Empty, or with a slash at its end. */
  prefix: string;
  /** `http://127.0.0.1:9000`; undefined: AWS's own. */
  endpoint: string | undefined;
  /** undefined: that of the environment or of the profile. */
  region: string | undefined;
  /** The bucket is in the path, not in the host's name. */
  pathStyle: boolean;
  /** A profile of ~/.aws/config; undefined: $AWS_PROFILE, else default. */
  profile: string | undefined;
  /** How long one request may take. */
  timeout: Millis;
}
