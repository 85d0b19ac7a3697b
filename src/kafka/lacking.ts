/** Which right a request lacked: a broker's answer says only which type of resource it is about. */
import type { Resource, Right } from './rights.ts';
import { type ErrorName, ProtocolError, errorOf } from './wire/index.ts';

const RESOURCE_OF: Partial<Record<ErrorName, Resource['type']>> = {
  TOPIC_AUTHORIZATION_FAILED: 'topic',
  GROUP_AUTHORIZATION_FAILED: 'group',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'transactional id',
  CLUSTER_AUTHORIZATION_FAILED: 'cluster',
};

/** A broker's answer: the user has no right to do this. */
export class LackedRight extends ProtocolError {
  readonly right: Right;

  constructor(error: ProtocolError, right: Right) {
    super(error.type, error.message, error.place);
    this.right = right;
  }
}

/**
 * Makes an error of a broker say which right the request lacked.
 *
 * @param needed the rights that the request needs; at most one for each type of resource
 * @returns other errors unchanged
 */
export function lacking(error: ProtocolError, ...needed: readonly Right[]): ProtocolError {
  const right = needed.find(({ resource }) => resource.type === RESOURCE_OF[error.type]);
  return right === undefined ? error : new LackedRight(error, right);
}

/** As {@link lacking}, of an error code. @throws ProtocolError, except for 0 */
export function failLacking(code: number | undefined, ...needed: readonly Right[]): void {
  const error = errorOf(code);
  if (error !== undefined) throw lacking(error, ...needed);
}
