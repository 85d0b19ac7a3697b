/** The answers of a route, as its schema tells them to the OpenAPI document. */
import { STATUS_CODES } from 'node:http';

export type Answers = Record<number, object>;

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    request_id: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          in: { type: 'string', enum: ['body', 'path', 'query', 'headers'] },
          pointer: { type: 'string', description: 'RFC 6901; empty: all of that part' },
          detail: { type: 'string' },
        },
        required: ['in', 'pointer', 'detail'],
      },
    },
  },
  required: ['type', 'title', 'status', 'detail'],
};

/** Any route may answer with these: a path that is no valid escape, keys, the rate, a fault, a service that is too busy. */
const ALWAYS = [400, 401, 404, 429, 500, 503];
/** And any route that has a body with these. */
const OF_BODIES = [413, 415];

/** Each status as problem+json. */
export function problemsOf(
  statuses: readonly number[],
  schema: object = PROBLEM,
  type = 'application/problem+json',
): Answers {
  const entries = statuses.map((status) => [
    status,
    { description: STATUS_CODES[status] ?? 'Error', content: { [type]: { schema } } },
  ]);
  return Object.fromEntries(entries) as Answers;
}

/** What a route answers: 200 with this, and the problems that any route may have. */
export function answers(ok: object, { hasBody = false, description = 'OK' } = {}): Answers {
  return {
    200: { description, content: { 'application/json': { schema: ok } } },
    ...problemsOf(hasBody ? [...ALWAYS, ...OF_BODIES] : ALWAYS),
  };
}
