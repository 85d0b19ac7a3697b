/** The section `serve` of hippo.yaml: what `hippo serve` listens on, whom it answers, and how much. */
import * as v from 'valibot';
import { deferred, described, duration, optionalText, secret, size, wholeNumber } from './schema-parts.ts';

const keyName = v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/, 'must be letters, digits, ".", "_" and "-"'));

const key = v.pipe(
  secret,
  v.regex(/^[\x21-\x7e]{16,}$/, 'must have at least 16 printable ASCII characters, and no blanks'),
  v.description('Take it from the environment: ${VAR}'),
);

/** No path of hippo's own begins with it. */
const prefix = v.pipe(
  v.string(),
  v.regex(
    /^\/(?!(?:healthz|readyz|metrics|docs|openapi\.json|v2|models|features|users|class|probs|top)(?:\/|$))[\w.-]+(?:\/[\w.-]+)*$/,
    'must be a path such as /app that is none of the routes of hippo serve',
  ),
);

export const serve = deferred(() =>
  v.strictObject({
    host: v.optional(
      described(v.string(), 'Where it listens. Elsewhere than on loopback it needs keys or keys_file'),
      '127.0.0.1',
    ),
    port: v.optional(described(wholeNumber(0, 65_535), '0: any free one. $HIPPO_PORT overrides it'), 8080),
    keys: v.optional(
      described(v.record(keyName, key), 'The keys that requests may have, by the names of the callers'),
      {},
    ),
    keys_file: optionalText(
      'A file of mode 0600 with a line NAME KEY for each caller, read again when it changes; relative to hippo.yaml',
    ),
    page: v.optional(described(v.boolean(), 'Whether /docs and /openapi.json are served'), true),
    prefix: v.optional(described(prefix, "Where the project's own routes are: client-app/routes.ts"), '/app'),
    limits: v.optional(
      v.strictObject({
        body: v.optional(size(1, 'The body of a request'), '1MiB'),
        batch: v.optional(described(wholeNumber(1, 1_000_000), 'Rows, or users, of a request'), 1_000),
        top: v.optional(described(wholeNumber(1, 10_000), 'Items for one user'), 1_000),
        rate: v.optional(
          described(wholeNumber(1), 'Requests a second of one key; without keys, of one address'),
          2_000,
        ),
        receive: v.optional(duration('How long a client may take to send its request'), '10s'),
        answer: v.optional(duration('How long an answer may take'), '10s'),
        lateness: v.optional(
          duration(
            'By how much the event loop may be late, on average over a second, before requests are refused with 503',
          ),
          '1s',
        ),
      }),
      {},
    ),
    drain: v.optional(
      v.strictObject({
        notice: v.optional(
          duration('At a stop: how long /readyz says 503 before new connections are refused'),
          '250ms',
        ),
        limit: v.optional(
          duration('How long running requests have after that; with notice less than client.kill_grace'),
          '8s',
        ),
      }),
      {},
    ),
    drift: v.optional(
      v.strictObject({
        window: v.optional(duration('Over how long the drift of features is taken'), '1h'),
      }),
      {},
    ),
  }),
);
