/** Why a request got no answer, in words. */
import { messageOf } from './errors.ts';

/** fetch says "fetch failed", and why only in its cause; of a host with several addresses, only each one's error says why. */
export function networkReason(error: unknown): string {
  if (error instanceof AggregateError) return networkReason(error.errors[0]);
  if (error instanceof TypeError && error.cause !== undefined) return networkReason(error.cause);
  if (error instanceof Error && error.message === '') return error.name;
  return messageOf(error);
}
