/** The settings of `alerts` in hippo.yaml. */
import * as v from 'valibot';
import { ALERT_CONDITIONS } from '../messages/types.ts';
import {
  clockTime,
  consistent,
  deferred,
  described,
  duration,
  hasBadEscape,
  optionalText,
  secret,
  some,
} from './schema-parts.ts';

const condition = v.picklist(ALERT_CONDITIONS);

/** `10/h`, `1/15m` */
export const RATE_PATTERN = /^([1-9]\d{0,3})\/([1-9]\d{0,3})?([smhd])$/;

const quiet = deferred(() =>
  v.strictObject({
    from: described(clockTime, "Where quiet hours begin, on the clock of the hippo's zone"),
    to: described(clockTime, 'Where they end; on the next day, if it is before `from`'),
    except: v.optional(described(v.array(condition), 'Alerts that are sent in quiet hours, too'), []),
  }),
);

const quietHours = consistent<v.InferOutput<typeof quiet>>(({ from, to }, complain) => {
  if (from === to) complain('to', 'is the same as from; leave quiet out, or use other times');
});

/** What every receiver has, whatever its kind. */
const common = {
  conditions: v.optional(described(some(condition), 'The alert kinds that it gets; left out: all')),
  resolved: v.optional(described(v.boolean(), 'It is told, too, that an alert is over'), true),
};

/** Alertmanager groups, limits and mutes by itself, so a receiver of its kind has none of these. */
const paced = {
  quiet: v.optional(
    described(v.pipe(quiet, quietHours), 'Alerts of these hours are held back until their end'),
  ),
  rate: v.optional(
    described(
      v.pipe(
        v.string(),
        v.regex(RATE_PATTERN, 'must be messages per time, such as "10/h", "2/m" or "1/15m"'),
      ),
      'At most so many messages in so long a time; the next message has the alerts that waited',
    ),
    '20/h',
  ),
};

const timeout = v.optional(duration('How long it may take to deliver one message'), '10s');

/** The URL alone lets its holder post, so it is a secret. fetch refuses a URL with a user and prints it. */
const webhookUrl = v.pipe(
  secret,
  v.check(isPlainHttpUrl, 'must be a URL such as https://host/path, without user:password@'),
  v.description('Where it is posted; take a secret URL from the environment: ${VAR}'),
);

function isPlainHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

const headers = v.optional(
  described(
    v.record(
      v.pipe(v.string(), v.regex(/^[!#$%&'*+.^_`|~\dA-Za-z-]+$/, 'a header has letters, digits and dashes')),
      v.pipe(secret, v.regex(/^[\t\x20-\x7e]*$/, 'must be one line of printable ASCII characters')),
    ),
    'Further headers, e.g. Authorization: "Bearer ${TOKEN}"',
  ),
  {},
);

const webhook = deferred(() =>
  v.strictObject({
    url: webhookUrl,
    headers,
    body: optionalText(
      'Template of the JSON that is posted, e.g. {"text": {{ text | json }}}; left out: all that is known',
    ),
    timeout,
  }),
);
const chat = deferred(() => v.strictObject({ url: webhookUrl, timeout }));
const alertmanager = deferred(() => v.strictObject({ url: webhookUrl, headers, timeout }));

const address = v.pipe(
  v.string(),
  v.regex(/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/, 'must be an address such as ops@example.org'),
);

const smtpUrl = v.pipe(
  secret,
  v.check(
    isSmtpUrl,
    'must be a URL such as smtps://user@mail.example.org:465 or smtp://mail.example.org:587; a "%" in it is %25',
  ),
  v.description(
    'smtps://user:password@host:465 (TLS), or smtp://host:587 (STARTTLS, where the server has it)',
  ),
);

function isSmtpUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === '') return false;
  return !hasBadEscape([url.username, url.password]);
}

const email = deferred(() =>
  v.strictObject({
    smtp: smtpUrl,
    password: v.optional(described(secret, 'Of the user in smtp')),
    password_file: optionalText(
      'A file with the password, read again for each message; relative to hippo.yaml',
    ),
    from: address,
    to: some(address),
    timeout,
  }),
);

const onePassword = consistent<v.InferOutput<typeof email>>(({ smtp, password, password_file }, complain) => {
  const url = URL.parse(smtp);
  const inUrl = (url?.password ?? '') === '' ? undefined : 'the password in smtp';
  const first = inUrl ?? (password === undefined ? undefined : 'password');
  if (inUrl !== undefined && password !== undefined)
    complain('password', `says again what ${inUrl} says; leave one of them out`);
  if (first !== undefined && password_file !== undefined)
    complain('password_file', `says again what ${first} says; leave one of them out`);
  const hasPassword = first !== undefined || password_file !== undefined;
  if (url !== null && hasPassword && url.username === '')
    complain('smtp', 'has no user, although there is a password: smtps://user@host:465');
  if (url !== null && !hasPassword && url.username !== '')
    complain('password_file', 'is missing; the user in smtp needs it, or password');
});

/** By kind: each kind has one key of its own that it needs, which says what takes the alerts. */
const receiverKinds = {
  webhook: deferred(() => v.strictObject({ ...common, ...paced, webhook })),
  slack: deferred(() =>
    v.strictObject({ ...common, ...paced, slack: described(chat, "A Slack app's incoming webhook") }),
  ),
  teams: deferred(() =>
    v.strictObject({
      ...common,
      ...paced,
      teams: described(chat, 'A webhook of Workflows in Microsoft Teams: it posts an Adaptive Card'),
    }),
  ),
  alertmanager: deferred(() =>
    v.strictObject({
      ...common,
      alertmanager: described(alertmanager, "Prometheus' Alertmanager, such as http://alertmanager:9093"),
    }),
  ),
  email: deferred(() => v.strictObject({ ...common, ...paced, email: v.pipe(email, onePassword) })),
};
export const RECEIVER_KINDS = [
  'webhook',
  'slack',
  'teams',
  'alertmanager',
  'email',
] as const satisfies readonly (keyof typeof receiverKinds)[];
export type ReceiverKind = (typeof RECEIVER_KINDS)[number];

/** @returns whether a receiver of this kind has no such key, and one of another kind has */
export function isOfOtherReceiver(key: string, kind: ReceiverKind): boolean {
  return (
    !(key in receiverKinds[kind].entries) &&
    RECEIVER_KINDS.some((other) => key in receiverKinds[other].entries)
  );
}

export const receiver = deferred(() =>
  v.union([
    receiverKinds.webhook,
    receiverKinds.slack,
    receiverKinds.teams,
    receiverKinds.alertmanager,
    receiverKinds.email,
  ]),
);

/** Any part of a receiver of any kind: what a profile may change. The merged receiver is checked as one of its kind. */
export const receiverParts = deferred(() =>
  v.partial(
    v.strictObject({
      ...common,
      ...paced,
      quiet: v.optional(v.partial(quiet)),
      webhook: v.partial(webhook),
      slack: v.partial(chat),
      teams: v.partial(chat),
      alertmanager: v.partial(alertmanager),
      email: v.partial(email),
    }),
  ),
);

export type ReceiverConfig = v.InferOutput<typeof receiver>;
/** The settings of the receivers of one kind. */
export type ReceiverOf<Kind extends ReceiverKind> = Kind extends ReceiverKind
  ? Extract<ReceiverConfig, Record<Kind, unknown>>
  : never;
