/** Sends the owner's alerts to their receivers, and has the owner remember what they have taken. */
import { isAborted } from '../../../core/abort.ts';
import { type Backoff, pauseAfter } from '../../../core/backoff.ts';
import { messageOf } from '../../../core/errors.ts';
import type { Clock, Millis } from '../../../core/clock.ts';
import { formatDuration } from '../../../core/duration.ts';
import {
  type Delivery,
  type History,
  NO_HISTORY,
  type Outcome,
  type Receiver,
  type Told,
  type ToldAlert,
  afterDelivery,
  planDelivery,
  send,
} from '../../../alerts/index.ts';
import type { AlertState } from '../../../state/index.ts';
import type { Zone } from '../../../windows/index.ts';
import type { AlertDelivery, MachineState } from '../../machine/index.ts';
import type { ClientLog } from '../client-event.ts';
import { faultPoint } from '../fault.ts';

export interface DeliveriesOptions {
  readonly receivers: readonly Receiver[];
  readonly groupWait: Millis;
  readonly zone: Zone;
  readonly hippo: string;
  /** `<prefix>/<name>`: an alert's id begins with it, as on the alert topic. */
  readonly identity: string;
  readonly clock: Clock;
  /** Asks the group now: only the owner sends. */
  readonly isOwner: () => Promise<boolean>;
  /** Has the owner remember it: resolves when it is written, rejects when it cannot be for now. */
  readonly delivered: (deliveries: readonly AlertDelivery[]) => Promise<void>;
  /** Masks secrets. */
  readonly mask: (text: string) => string;
  readonly log: ClientLog;
  /** The client ends when all is done, so it does not wait for more alerts. */
  readonly once: boolean;
}

/** A receiver as health and metrics report it. */
export interface ReceiverView {
  readonly name: string;
  /** When it began to fail; null: it does not. */
  readonly failingSince: Millis | null;
  /** What it said last, while it fails. */
  readonly error: string | null;
  /** When the oldest alert that it has not taken began, or ended; null: it has taken all. Without those that it does not get. */
  readonly waitingSince: Millis | null;
}

/** After a change, others often follow at once. */
const SOON = 20;
/** Between two questions whether this client owns the hippo. */
const OWNER_RETRY = 1_000;
/** Time is looked at at least this often: the wall clock may be set. */
const LONGEST_WAIT = 60_000;
/** Between two tries to write what was taken. */
const WRITE_RETRY: Backoff = { first: 500, most: 30_000 };

interface Line {
  readonly receiver: Receiver;
  history: History;
  /** What it has taken, by alert, that the state does not say yet. */
  readonly taken: Map<string, Told['state']>;
  isBusy: boolean;
  failing: { since: Millis; answer: string; kind: Outcome['kind'] } | null;
}

/** One message at a time to each receiver. A tenure that ends ends all of them: the next owner sends again what is not written. */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #lines: readonly Line[];
  #alerts: MachineState['alerts'] | null = null;
  /** Aborted when ownership is lost; null while another client owns. */
  #tenure: AbortController | null = null;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  /** Taken, and to be written. */
  #unwritten: AlertDelivery[] = [];
  #writing: Promise<void> | null = null;
  #writeFailures = 0;
  /** The alerts have changed, and it was not looked at what follows. */
  #isToLook = false;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
    this.#lines = options.receivers.map((receiver) => ({
      receiver,
      history: NO_HISTORY,
      taken: new Map<string, Told['state']>(),
      isBusy: false,
      failing: null,
    }));
  }

  /** Called after each turn of the owner. */
  desire({ alerts }: Pick<MachineState, 'alerts'>): void {
    if (this.#lines.length === 0 || (this.#tenure !== null && alerts === this.#alerts)) return;
    this.#tenure ??= new AbortController();
    this.#alerts = alerts;
    for (const { receiver, taken } of this.#lines) {
      for (const [id, state] of taken) {
        const alert = alerts.get(id);
        if (alert === undefined || alert.delivered?.[receiver.name] === state) taken.delete(id);
      }
    }
    this.#isToLook = true;
    this.#lookIn(SOON);
  }

  /** Something is sent, or will be at once: not what waits for another try, a place within the rate or the end of quiet hours. */
  get isBusy(): boolean {
    if (this.#tenure === null) return false;
    return (
      this.#isToLook ||
      this.#writing !== null ||
      this.#unwritten.length > 0 ||
      this.#lines.some(({ isBusy }) => isBusy)
    );
  }

  /** Ends at once what is being sent. */
  disown(): void {
    this.#tenure?.abort();
    this.#tenure = null;
    this.#alerts = null;
    this.#unwritten = [];
    this.#isToLook = false;
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
    // Rates and pauses outlast a tenure: the receiver is the same.
    for (const line of this.#lines) line.taken.clear();
  }

  get views(): readonly ReceiverView[] {
    return this.#lines.map((line) => ({
      name: line.receiver.name,
      failingSince: line.failing?.since ?? null,
      error: line.failing?.answer ?? null,
      waitingSince: this.#oldestWaiting(line),
    }));
  }

  #oldestWaiting(line: Line): Millis | null {
    const { conditions, tellsEnds } = line.receiver.policy;
    let oldest: Millis | null = null;
    for (const { alert, taken } of this.#known(line)) {
      const { condition, since, resolvedAt } = alert;
      const isTold =
        (conditions?.has(condition) ?? true) && (resolvedAt === undefined ? taken === undefined : tellsEnds);
      const at = resolvedAt !== undefined && taken === 'firing' ? resolvedAt : since;
      if (isTold && taken !== 'resolved' && (oldest === null || at < oldest)) oldest = at;
    }
    return oldest;
  }

  *#known({
    receiver,
    taken,
  }: Line): Generator<{ id: string; alert: AlertState; taken: Told['state'] | undefined }> {
    for (const [id, alert] of this.#alerts ?? [])
      yield { id, alert, taken: taken.get(id) ?? alert.delivered?.[receiver.name] };
  }

  #lookIn(millis: Millis): void {
    const at = performance.now() + millis;
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#look(), millis);
    // The membership keeps the client alive.
    this.#timer.unref();
  }

  #look(): void {
    this.#timerAt = Infinity;
    this.#isToLook = false;
    const tenure = this.#tenure;
    if (tenure === null) return;
    const { clock, zone, once } = this.#options;
    const groupWait = once ? 0 : this.#options.groupWait;
    const now = clock.now();
    let wakeIn = LONGEST_WAIT;
    for (const line of this.#lines) {
      if (line.isBusy) continue;
      const plan = planDelivery(line.receiver.policy, line.history, this.#known(line), {
        now,
        zone,
        groupWait,
      });
      line.history = plan.history;
      this.#note(line, plan.settled);
      if (plan.send.length > 0) void this.#send(line, plan.send, tenure.signal);
      else if (plan.wakeAt !== null) wakeIn = Math.min(wakeIn, Math.max(plan.wakeAt - now, SOON));
    }
    if (this.#alerts !== null && this.#alerts.size > 0) this.#lookIn(wakeIn);
  }

  /** Does not reject. */
  async #send(line: Line, told: readonly Told[], signal: AbortSignal): Promise<void> {
    const { receiver } = line;
    const { clock, hippo, zone, mask, isOwner } = this.#options;
    line.isBusy = true;
    let lookAgain = SOON;
    try {
      if (!(await isOwner()) || signal.aborted) {
        lookAgain = OWNER_RETRY;
        return;
      }
      const alerts = told.flatMap(({ id, state }) => this.#told(id, state));
      const news = told.filter(({ id, state }) => this.#takenBy(line, id) !== state);
      const at = clock.now();
      const delivery: Delivery = { hippo, timezone: zone.name, at, alerts, isTest: false };
      const outcome = await send(receiver, delivery, { mask, signal });
      if (isAborted(signal)) return;
      line.history = afterDelivery(receiver.policy, line.history, historyOf(outcome), {
        at,
        isSent: outcome.kind === 'taken' || (outcome.kind === 'failed' && outcome.isSent),
      });
      this.#tell(line, outcome, news.length, at);
      if (outcome.kind !== 'taken') return;
      faultPoint('after-delivery');
      this.#note(line, news);
    } catch (error) {
      this.#notice('error', `alerts cannot be sent to ${receiver.name}: ${mask(messageOf(error))}`);
      const failed = { kind: 'failed', retryAfter: null } as const;
      const sent = { at: clock.now(), isSent: false };
      line.history = afterDelivery(receiver.policy, line.history, failed, sent);
    } finally {
      line.isBusy = false;
      this.#isToLook = true;
      this.#lookIn(lookAgain);
    }
  }

  #takenBy({ receiver, taken }: Line, id: string): Told['state'] | undefined {
    return taken.get(id) ?? this.#alerts?.get(id)?.delivered?.[receiver.name];
  }

  #told(id: string, state: Told['state']): ToldAlert[] {
    const alert = this.#alerts?.get(id);
    if (alert === undefined) return [];
    const { condition, subject, runKey = null, text, over, next = [], since, resolvedAt = null } = alert;
    const isOver = state === 'resolved';
    return [
      {
        id: `${this.#options.identity}/${id}`,
        ...{ state, condition, subject, runKey, since },
        // What has succeeded must not be run again.
        next: isOver ? [] : next,
        resolvedAt: isOver ? resolvedAt : null,
        text: isOver ? (over ?? text) : text,
      },
    ];
  }

  /** Has the owner write what a receiver has taken. */
  #note({ receiver, taken }: Line, told: readonly Told[]): void {
    for (const { id, state } of told) {
      taken.set(id, state);
      this.#unwritten.push({ alert: id, receiver: receiver.name, state });
    }
    this.#write();
  }

  #write(): void {
    if (this.#writing !== null || this.#unwritten.length === 0) return;
    const { signal } = this.#tenure ?? new AbortController();
    const deliveries = this.#unwritten;
    this.#unwritten = [];
    this.#writing = this.#options.delivered(deliveries).then(
      () => {
        this.#writeFailures = 0;
        this.#writing = null;
        this.#write();
      },
      () => {
        this.#writing = null;
        if (signal.aborted) return;
        // The owner reads its state again, or Kafka is away: it says so itself.
        this.#unwritten = [...deliveries, ...this.#unwritten];
        this.#writeFailures += 1;
        setTimeout(() => this.#write(), pauseAfter(this.#writeFailures, WRITE_RETRY)).unref();
      },
    );
  }

  /** It is said once that a receiver fails, once when it fails in another way, and once when it takes alerts again. */
  #tell(line: Line, outcome: Outcome, news: number, at: Millis): void {
    const { name, place } = line.receiver;
    const { kind, answer, millis } = outcome;
    const { failing } = line;
    if (news > 0 || kind !== 'taken')
      this.#options.log({
        event: 'delivered',
        receiver: name,
        outcome: kind,
        alerts: news,
        answer,
        duration_ms: millis,
      });
    if (kind === 'taken') {
      line.failing = null;
      if (failing === null) return;
      this.#notice('info', `${name} takes alerts again, after ${formatDuration(at - failing.since)}`);
      return;
    }
    line.failing = { since: failing?.since ?? at, answer, kind };
    if (failing?.kind === kind) return;
    const will =
      kind === 'refused'
        ? 'it is tried again, seldom; correct the receiver in hippo.yaml'
        : 'it is tried again';
    this.#notice(
      'warning',
      `${name} (${place}) ${VERBS[kind]}: ${answer}; ${will}. To try it: hippo alerts test ${name}`,
    );
  }

  #notice(level: 'info' | 'warning' | 'error', text: string): void {
    this.#options.log({ event: 'notice', level, text });
  }
}

const VERBS = {
  refused: 'refuses alerts',
  busy: 'takes no more alerts for now',
  failed: 'could not be sent alerts',
} as const;

function historyOf(outcome: Outcome): Parameters<typeof afterDelivery>[2] {
  if (outcome.kind === 'taken') return outcome;
  return { kind: outcome.kind, retryAfter: outcome.kind === 'busy' ? outcome.retryAfter : null };
}
