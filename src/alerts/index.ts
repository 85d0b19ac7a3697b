/**
 * Alerts on their way to people: what is sent to which receiver and when (pure), in which words, and the sending itself. The
 * owner's client decides by it (client/host/alerts); `hippo alerts test` sends by it.
 */
export { type Failing, type History, NO_HISTORY, type Told, afterDelivery, planDelivery } from './plan.ts';
export { type Receiver, type ReceiverProblem, compileReceivers } from './receiver.ts';
export { testDelivery } from './samples.ts';
export { secretMask } from './secrets.ts';
export { masked, send } from './send.ts';
export type { Delivery, Outcome, ToldAlert } from './types.ts';
