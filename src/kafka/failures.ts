import { ServiceError } from '../core/errors.ts';

/** Another producer has taken the transactional id over: this process is not the owner any more and must stop writing. */
export class FencedError extends ServiceError {}

/** Kafka answers, and refuses what was asked: another try does not help before somebody has changed something. */
export class RefusedError extends ServiceError {}

/** No broker of the list can be talked to. */
export class UnreachableError extends ServiceError {}
