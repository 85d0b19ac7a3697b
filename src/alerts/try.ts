/** Tries the receivers of a hippo.yaml, from this machine. */
import { problemsError } from '../config/problems.ts';
import { CONFIG_FILE, type LoadedConfig, hippoName, loadConfig } from '../config/load.ts';
import { identityOf } from '../config/groups.ts';
import { MASK } from '../config/secret-words.ts';
import { UserError } from '../core/errors.ts';
import { type JsonObject, tryParseJson } from '../core/json.ts';
import { didYouMean } from '../core/near.ts';
import type { ReceiverKind } from '../config/alerts-schema.ts';
import { type Message, type Receiver, type ReceiverProblem, compileReceivers } from './receiver.ts';
import { testDelivery } from './samples.ts';
import { secretMask } from './secrets.ts';
import { masked, send } from './send.ts';
import type { Delivery, Outcome } from './types.ts';

export interface TestOptions {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  /** Of receivers; empty: all. */
  names: readonly string[];
  /** Sends nothing. */
  isDry: boolean;
  signal: AbortSignal;
}

export interface AlertsTest {
  hippo: string;
  receivers: TestedReceiver[];
}

export interface TestedReceiver {
  name: string;
  kind: ReceiverKind;
  /** Where it is, without secrets. */
  place: string;
  /** null: it was not sent. */
  outcome: Outcome['kind'] | null;
  /** What it answered, one line, or why it did not. */
  answer: string | null;
  took_ms: number | null;
  /** With a dry run: what would be sent, with secrets masked. */
  message?: JsonObject;
}

/** @throws UserError where there is no such receiver, or none at all */
export async function testReceivers(options: TestOptions): Promise<AlertsTest> {
  const { file, profile, names, isDry, signal } = options;
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const hippo = hippoName(loaded);
  const { timezone } = loaded.config.calendar;
  const delivery = testDelivery(
    { hippo, timezone, at: Date.now() },
    `${identityOf(loaded.config, hippo)}/alerts-test`,
  );
  const mask = secretMask(loaded.config);
  const chosen = choose(compiled(loaded), names, loaded);
  const receivers = await Promise.all(
    chosen.map(async (receiver): Promise<TestedReceiver> => {
      const { name, kind, place } = receiver;
      if (isDry) {
        const message = shown(receiver, masked(delivery, mask), mask);
        return { name, kind, place, outcome: null, answer: null, took_ms: null, message };
      }
      const { kind: outcome, answer, millis } = await send(receiver, delivery, { mask, signal });
      return { name, kind, place, outcome, answer, took_ms: millis };
    }),
  );
  signal.throwIfAborted();
  return { hippo, receivers };
}

function compiled(loaded: LoadedConfig): Receiver[] {
  const problems: ReceiverProblem[] = [];
  const receivers = compileReceivers(loaded, problems);
  if (problems.length === 0) return receivers;
  throw problemsError(
    loaded.file ?? CONFIG_FILE,
    problems.map(({ path, message }) => ({
      place: loaded.place(path),
      message: `cannot be used: ${message}`,
    })),
  );
}

function choose(all: readonly Receiver[], names: readonly string[], loaded: LoadedConfig): Receiver[] {
  const known = all.map(({ name }) => name);
  if (all.length === 0)
    throw new UserError(
      loaded.file === null
        ? 'there is no hippo.yaml here or in a folder above'
        : 'hippo.yaml has no receivers of alerts',
      {
        next: ['add one under alerts.receivers: in hippo.yaml (docs/ALERTS.md)'],
        ...(loaded.file === null ? {} : { place: loaded.place(['alerts']) }),
      },
    );
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UserError(`there is no receiver ${unknown}`, {
      why: didYouMean(unknown, known) ?? `hippo.yaml has: ${known.join(', ')}.`,
      next: ['hippo alerts test    (tries all of them)'],
      place: loaded.place(['alerts', 'receivers']),
    });
  return all.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** Of a URL only the scheme and the host are no secrets. */
function shown(receiver: Receiver, delivery: Delivery, mask: (text: string) => string): JsonObject {
  const message: Message = receiver.message(delivery);
  if ('mail' in message) {
    const { from, to, subject, text } = message.mail;
    return { from, to: [...to], subject, text };
  }
  const { url, headers, body } = message.post;
  const { protocol, host } = new URL(url);
  return {
    method: 'POST',
    url: `${protocol}//${host}/${MASK}`,
    headers: Object.fromEntries(Object.keys(headers).map((name) => [name, MASK])),
    body: tryParseJson(mask(body)) ?? body,
  };
}
