/** The receivers of a hippo.yaml, ready to be told. */
import { resolve } from 'node:path';
import {
  RATE_PATTERN,
  RECEIVER_KINDS,
  type ReceiverConfig,
  type ReceiverKind,
  type ReceiverOf,
} from '../config/alerts-schema.ts';
import type { ConfigPath, LoadedConfig } from '../config/load.ts';
import { parseDuration } from '../core/duration.ts';
import type { Json } from '../core/json.ts';
import { type Mail, type MailServer, mailText } from './mail.ts';
import type { Policy } from './plan.ts';
import type { Post } from './post.ts';
import { SAMPLES } from './samples.ts';
import { REPEAT, alertmanagerBody } from './shapes/alertmanager.ts';
import { slackBody } from './shapes/slack.ts';
import { teamsBody } from './shapes/teams.ts';
import { type BodyTemplate, compileBody } from './shapes/template.ts';
import { webhookBody, webhookContext } from './shapes/webhook.ts';
import { summarize } from './summary.ts';
import type { Delivery } from './types.ts';

/** A receiver of alerts, compiled. */
export interface Receiver {
  readonly name: string;
  readonly kind: ReceiverKind;
  /** Where it is, without secrets: `hooks.slack.com`, `ops@example.org by mail.example.org`. */
  readonly place: string;
  /** Where a connection is made to. */
  readonly address: { readonly host: string; readonly port: number };
  readonly policy: Policy;
  message(delivery: Delivery): Message;
}

/** What is sent to a receiver. */
export type Message = { readonly post: Post } | { readonly mail: Mail };

/** A setting that cannot be what it says. */
export interface ReceiverProblem {
  readonly path: ConfigPath;
  readonly message: string;
  readonly allowed?: string;
}

/** How a receiver of one kind is told. */
type Telling = Pick<Receiver, 'place' | 'address' | 'message'>;

interface Surroundings {
  /** The folder of hippo.yaml. */
  readonly directory: string;
  /** @param key below the kind's own, such as `body` */
  readonly complain: (key: string, message: string) => void;
}

type Compile<Kind extends ReceiverKind> = (receiver: ReceiverOf<Kind>, surroundings: Surroundings) => Telling;

/** A new kind of receiver is one entry here, and its settings in config/alerts-schema.ts. */
const KINDS: { readonly [Kind in ReceiverKind]: Compile<Kind> } = {
  webhook({ webhook }, { complain }) {
    const template = webhook.body === undefined ? null : templateOf(webhook.body, complain);
    return posted(webhook, (delivery) => webhookBody(delivery, template));
  },
  slack: ({ slack }) => posted({ ...slack, headers: {} }, (delivery) => slackBody(summarize(delivery))),
  teams: ({ teams }) => posted({ ...teams, headers: {} }, (delivery) => teamsBody(summarize(delivery))),
  alertmanager({ alertmanager }) {
    const url = `${alertmanager.url.replace(/\/+$/, '')}/api/v2/alerts`;
    return posted({ ...alertmanager, url }, alertmanagerBody);
  },
  email({ email }, { directory }) {
    const { from, to } = email;
    const server = mailServer(email, directory);
    return {
      place: `${to.join(', ')} by ${server.host}`,
      address: { host: server.host, port: server.port },
      message: (delivery) => ({ mail: { server, from, to, ...mailText(summarize(delivery)) } }),
    };
  },
};

/** Checks what the schema cannot. A problem is added to the list. */
export function compileReceivers(
  { config, directory }: Pick<LoadedConfig, 'config' | 'directory'>,
  problems: ReceiverProblem[],
): Receiver[] {
  return Object.entries(config.alerts?.receivers ?? {}).map(([name, receiver]) => {
    const kind = RECEIVER_KINDS.find((key) => key in receiver) ?? RECEIVER_KINDS[0];
    const path = ['alerts', 'receivers', name, kind];
    const complain = (key: string, message: string): void =>
      void problems.push({ path: [...path, key], message });
    // The kind that the receiver's key says is the kind of its settings.
    const telling = (KINDS[kind] as Compile<ReceiverKind>)(receiver, { directory, complain });
    return { name, kind, policy: policyOf(receiver), ...telling };
  });
}

function policyOf(receiver: ReceiverConfig): Policy {
  const { conditions, resolved } = receiver;
  const common = {
    conditions: conditions === undefined ? null : new Set(conditions),
    tellsEnds: resolved,
  };
  if ('alertmanager' in receiver) return { ...common, quiet: null, rate: null, repeat: REPEAT };
  const { quiet, rate } = receiver;
  return {
    ...common,
    quiet: quiet === undefined ? null : { ...quiet, except: new Set(quiet.except) },
    rate: rateOf(rate),
    repeat: null,
  };
}

/** `1/15m` → 1 message in 900,000 ms */
function rateOf(text: string): Policy['rate'] {
  const [, messages = '1', count = '1', unit = 'h'] = RATE_PATTERN.exec(text) ?? [];
  return { messages: Number(messages), per: parseDuration(`${count}${unit}`) ?? 0 };
}

function posted({ url, headers, timeout }: Omit<Post, 'body'>, body: (delivery: Delivery) => Json): Telling {
  const { host, hostname, port, protocol } = new URL(url);
  return {
    place: host,
    address: { host: bare(hostname), port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) },
    message: (delivery) => ({ post: { url, headers, timeout, body: JSON.stringify(body(delivery)) } }),
  };
}

/** SMTP's own port is for mail between servers: 587 is the one for submitting mail. */
function mailServer(
  { smtp, password, password_file, timeout }: ReceiverOf<'email'>['email'],
  directory: string,
): MailServer {
  const url = new URL(smtp);
  const isTls = url.protocol === 'smtps:';
  const given = password ?? (url.password === '' ? undefined : decodeURIComponent(url.password));
  return {
    host: bare(url.hostname),
    port: url.port === '' ? (isTls ? 465 : 587) : Number(url.port),
    isTls,
    user: url.username === '' ? null : decodeURIComponent(url.username),
    password:
      given !== undefined
        ? { text: given }
        : password_file === undefined
          ? null
          : { file: resolve(directory, password_file) },
    timeout,
  };
}

/** `[::1]` → `::1` */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function templateOf(source: string, complain: Surroundings['complain']): BodyTemplate | null {
  const compiled = compileBody(source, SAMPLES.map(webhookContext));
  if (compiled.ok) return compiled.template;
  complain('body', compiled.message);
  return null;
}
