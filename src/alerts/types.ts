import type { Millis } from '../core/clock.ts';
import type { AlertCondition } from '../messages/types.ts';

/** An alert as receivers are told of it. */
export interface ToldAlert {
  /** As on the alert topic: the same for its beginning and its end. */
  readonly id: string;
  readonly state: 'firing' | 'resolved';
  readonly condition: AlertCondition;
  /** The job, service, source or topic that it is about. */
  readonly subject: string;
  readonly runKey: string | null;
  readonly since: Millis;
  /** null while it fires. */
  readonly resolvedAt: Millis | null;
  /** What has happened or, of one that is over, why it is; one line. */
  readonly text: string;
  /** Commands to type. */
  readonly next: readonly string[];
}

/** One message to one receiver. */
export interface Delivery {
  readonly hippo: string;
  /** IANA: times for people are in this zone. */
  readonly timezone: string;
  /** When it is sent. */
  readonly at: Millis;
  readonly alerts: readonly ToldAlert[];
  /** It only tries the receiver. */
  readonly isTest: boolean;
}

/** What a receiver said to a message. */
export type Outcome = {
  /** One line, without secrets. */
  readonly answer: string;
  readonly millis: Millis;
} & (
  | { readonly kind: 'taken' }
  /** It will not take the same message later, unless somebody changes its settings or ours. */
  | { readonly kind: 'refused' }
  /** It asks to be left alone for a while. */
  | { readonly kind: 'busy'; readonly retryAfter: Millis | null }
  /** It could not be reached or did not do it. `isSent`: it may have taken the message all the same. */
  | { readonly kind: 'failed'; readonly isSent: boolean }
);
