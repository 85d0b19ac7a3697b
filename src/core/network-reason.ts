/** Why a request got no answer, in words. */
import { messageOf } from './errors.ts';

/** Of the ports of other protocols, such as 1 or 25: https://fetch.spec.whatwg.org/#port-blocking */
const BLOCKED =
  'no HTTP client connects to this port, because it belongs to another protocol: set another one';

/** fetch says "fetch failed", and why only in its cause; of a host with several addresses, only each one's error says why. */
export function networkReason(error: unknown): string {
  if (error instanceof AggregateError) return networkReason(error.errors[0]);
  if (error instanceof TypeError && error.cause !== undefined) return networkReason(error.cause);
  if (error instanceof Error && error.message === '') return error.name;
  const message = messageOf(error);
  return message === 'bad port' ? BLOCKED : message;
}
