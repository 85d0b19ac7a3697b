import { visible } from '../core/visible.ts';
import { post } from './post.ts';
import type { Receiver } from './receiver.ts';
import type { Delivery, Outcome } from './types.ts';

export interface Sending {
  /** Masks secrets in what is sent, and in what the receiver says. */
  readonly mask: (text: string) => string;
  /** Aborted to stop at once; then what is returned is of no interest. */
  readonly signal: AbortSignal;
}

/** Sends one message. Does not throw: what goes wrong is an outcome. */
export async function send(receiver: Receiver, delivery: Delivery, sending: Sending): Promise<Outcome> {
  const { mask, signal } = sending;
  const message = receiver.message(masked(delivery, mask));
  const outcome =
    'post' in message
      ? await post(message.post, signal)
      : // Loaded when the first mail is sent.
        await (await import('./smtp.ts')).sendMail(message.mail, signal);
  return { ...outcome, answer: visible(mask(outcome.answer)).slice(0, LONGEST).toWellFormed() };
}

/** Of an answer, characters. */
const LONGEST = 200;

/** A job's error, for example, may have the password that it tried. */
export function masked(delivery: Delivery, mask: (text: string) => string): Delivery {
  return {
    ...delivery,
    alerts: delivery.alerts.map((alert) => ({
      ...alert,
      text: mask(alert.text),
      next: alert.next.map(mask),
    })),
  };
}
