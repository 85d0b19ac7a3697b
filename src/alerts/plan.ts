/**
 * Which alerts are sent to a receiver now, and when to look again. Pure: time and what was sent before come in.
 *
 * Each alert that a receiver takes is sent at least once, unless it is over for longer than {@link OLD}; its beginning never
 * after its end. What waits (for more, for a place within the rate, for the end of quiet hours, for the next try) goes into the
 * next message together.
 */
import { type Backoff, pauseAfter } from '../core/backoff.ts';
import type { Millis } from '../core/clock.ts';
import type { AlertCondition } from '../messages/types.ts';
import type { AlertState } from '../state/index.ts';
import type { Zone } from '../windows/index.ts';
import { type Quiet, quietEnd } from './quiet.ts';

/** How a receiver wants to be told. */
export interface Policy {
  /** null: all. */
  readonly conditions: ReadonlySet<AlertCondition> | null;
  /** It is told of ends, too. */
  readonly tellsEnds: boolean;
  readonly quiet: Quiet | null;
  /** At most so many messages in so long a time; null: any number. */
  readonly rate: { readonly messages: number; readonly per: Millis } | null;
  /** How often what is firing is sent again; null: never, so that it is worth waiting for more alerts. */
  readonly repeat: Millis | null;
}

/** What has happened with a receiver so far. All times are of the past. */
export interface History {
  /** When the first of the alerts that wait could have been sent; null: none waits. */
  readonly waitingSince: Millis | null;
  /** When messages were sent that it took, or may have taken; older ones than the rate's time may be left out. */
  readonly sent: readonly Millis[];
  /** The failures since it took something, and the pause that it asked for after the last one. */
  readonly failing: Failing | null;
  /** When all that is firing was sent last. */
  readonly repeatedAt: Millis | null;
}

export interface Failing {
  readonly count: number;
  readonly lastAt: Millis;
  readonly kind: 'refused' | 'busy' | 'failed';
  readonly retryAfter: Millis | null;
}

export const NO_HISTORY: History = { waitingSince: null, sent: [], failing: null, repeatedAt: null };

/** An alert that is open or not told to its end, and what the receiver has taken of it. */
export interface KnownAlert {
  readonly id: string;
  readonly alert: AlertState;
  readonly taken: 'firing' | 'resolved' | undefined;
}

/** An alert in the state that the receiver is told of, or needs not be told of. */
export interface Told {
  readonly id: string;
  readonly state: 'firing' | 'resolved';
}

export interface Plan {
  /** One message; empty: none now. */
  readonly send: readonly Told[];
  /** These are done without a message. */
  readonly settled: readonly Told[];
  readonly history: History;
  /** When to look again, although nothing has changed; null: then there is no need to. */
  readonly wakeAt: Millis | null;
}

export interface Surroundings {
  readonly now: Millis;
  readonly zone: Zone;
  /** How long the first alert waits for more. */
  readonly groupWait: Millis;
}

/** An alert resolved more than 7 days ago is not sent. It would be kept for ever for a receiver that is gone. */
export const OLD = 7 * 86_400_000;

const FAILED: Backoff = { first: 1_000, most: 5 * 60_000 };
const REFUSED: Backoff = { first: 60_000, most: 30 * 60_000 };

export function planDelivery(
  policy: Policy,
  before: History,
  alerts: Iterable<KnownAlert>,
  around: Surroundings,
): Plan {
  const { now } = around;
  const history = notAfter(before, now);
  const { due, settled, firing } = sorted(policy, alerts, now);
  const quietUntil = policy.quiet === null ? null : quietEnd(policy.quiet, around.zone, now);
  const sendable = due.filter(({ condition }) => quietUntil === null || policy.quiet?.except.has(condition));
  const held = sendable.length < due.length ? quietUntil : null;
  const waitingSince = sendable.length === 0 ? null : (history.waitingSince ?? now);
  const repeatAt = repeatTime(policy, history, firing.length, now);
  const wantedAt = least(waitingSince === null ? null : readyAt(policy, waitingSince, around), repeatAt);
  const sendAt = wantedAt === null ? null : Math.max(wantedAt, pausedUntil(history), freeAt(policy, history));
  const isNow = sendAt !== null && sendAt <= now;
  const send = !isNow ? [] : policy.repeat === null ? sendable : withAll(sendable, firing);
  return {
    send: send.map(({ id, state }) => ({ id, state })),
    settled,
    history: { ...history, waitingSince },
    wakeAt: isNow ? null : least(sendAt, held),
  };
}

/** The history after a message: what was sent, and what became of it. */
export function afterDelivery(
  { rate, repeat }: Policy,
  history: History,
  outcome: { kind: 'taken' } | Pick<Failing, 'kind' | 'retryAfter'>,
  { at, isSent }: { at: Millis; isSent: boolean },
): History {
  const oldest = at - (rate?.per ?? 0);
  const sent = [...history.sent.filter((time) => time > oldest), ...(isSent && rate !== null ? [at] : [])];
  if (outcome.kind === 'taken')
    return { sent, failing: null, waitingSince: null, repeatedAt: repeat === null ? null : at };
  const { kind, retryAfter } = outcome;
  const count = (history.failing?.count ?? 0) + 1;
  return { ...history, sent, failing: { count, lastAt: at, kind, retryAfter } };
}

type Due = Told & Pick<AlertState, 'condition'>;

function sorted(
  { conditions, tellsEnds }: Policy,
  alerts: Iterable<KnownAlert>,
  now: Millis,
): { due: Due[]; settled: Told[]; firing: Due[] } {
  const [due, settled, firing]: [Due[], Told[], Due[]] = [[], [], []];
  for (const { id, alert, taken } of alerts) {
    const { condition, resolvedAt } = alert;
    const isTold = conditions === null || conditions.has(condition);
    const state = resolvedAt === undefined ? 'firing' : 'resolved';
    const told = { id, state, condition } as const;
    if (isTold && state === 'firing') firing.push(told);
    if (taken === state || (!isTold && state === 'firing')) continue;
    const isOver = resolvedAt !== undefined && (!isTold || !tellsEnds || resolvedAt < now - OLD);
    if (isOver) settled.push({ id, state });
    else due.push(told);
  }
  return { due, settled, firing };
}

/** When the alerts that wait have waited for more for long enough. Alertmanager groups by itself, so it does not wait. */
function readyAt({ repeat }: Policy, waitingSince: Millis, { groupWait }: Surroundings): Millis {
  return repeat === null ? waitingSince + groupWait : waitingSince;
}

function repeatTime({ repeat }: Policy, { repeatedAt }: History, firing: number, now: Millis): Millis | null {
  if (repeat === null || firing === 0) return null;
  return repeatedAt === null ? now : repeatedAt + repeat;
}

function withAll(sendable: readonly Due[], firing: readonly Due[]): Due[] {
  return [...firing, ...sendable.filter(({ state }) => state === 'resolved')];
}

/** When the next try is due, after a failure. */
function pausedUntil({ failing }: History): Millis {
  if (failing === null) return -Infinity;
  const { kind, count, lastAt, retryAfter } = failing;
  return lastAt + Math.max(retryAfter ?? 0, pauseAfter(count, kind === 'refused' ? REFUSED : FAILED));
}

/** When one more message is within the rate. */
function freeAt({ rate }: Policy, { sent }: History): Millis {
  if (rate === null || sent.length < rate.messages) return -Infinity;
  return (sent.at(-rate.messages) ?? -Infinity) + rate.per;
}

/** After the clock was put back, what has happened is not in the future. */
function notAfter({ waitingSince, sent, failing, repeatedAt }: History, now: Millis): History {
  return {
    waitingSince: least(waitingSince, waitingSince === null ? null : now),
    sent: sent.map((at) => Math.min(at, now)),
    failing: failing === null ? null : { ...failing, lastAt: Math.min(failing.lastAt, now) },
    repeatedAt: least(repeatedAt, repeatedAt === null ? null : now),
  };
}

function least(left: Millis | null, right: Millis | null): Millis | null {
  if (left === null) return right;
  return right === null ? left : Math.min(left, right);
}
