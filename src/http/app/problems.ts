/** Errors as answers: problem+json (RFC 9457), without what is inside of the process. */
import type { FastifyError } from 'fastify';
import { HttpProblem } from '../reply.ts';

/** One wrong field of a request. */
export interface FieldProblem {
  /** The part of the request. */
  in: 'body' | 'path' | 'query' | 'headers';
  /** JSON pointer (RFC 6901) within that part; empty: all of it. */
  pointer: string;
  detail: string;
}

/** Of more, the first ones are told. */
const MOST = 20;

/** 400 with each wrong field by its JSON pointer; the first one is the detail. */
export function invalid(errors: readonly FieldProblem[]): HttpProblem {
  const [first] = errors;
  const place = first === undefined ? 'the request' : `${first.in} ${first.pointer}`.trim();
  return new HttpProblem(
    400,
    `${place} ${first?.detail ?? 'is not valid'}`,
    {},
    { errors: errors.slice(0, MOST) },
  );
}

const PARTS: Readonly<Record<string, FieldProblem['in']>> = {
  body: 'body',
  params: 'path',
  querystring: 'query',
  headers: 'headers',
};

/**
 * The answer to what a handler, a hook or Fastify itself has thrown.
 *
 * @returns null: a fault of the service, of which the client is told nothing but the request's id
 */
export function problemFor(error: unknown): HttpProblem | null {
  if (error instanceof HttpProblem) return error;
  const { validation, validationContext, statusCode = 500, code, message } = error as FastifyError;
  if (validation !== undefined) {
    const part = PARTS[validationContext ?? ''] ?? 'body';
    return invalid(validation.map((one) => fieldProblem(part, one)));
  }
  if (statusCode < 400 || statusCode >= 500) return null;
  return new HttpProblem(statusCode, WORDS[code] ?? message, HEADERS[code]);
}

/** Fastify's own errors, in the words of this project. */
const WORDS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'the body must be JSON, with content-type: application/json',
  FST_ERR_CTP_BODY_TOO_LARGE: 'the body is larger than this service takes',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'the body is empty; it must be JSON',
  FST_ERR_CTP_INVALID_JSON_BODY: 'the body is not JSON',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'the body has another length than content-length says',
  FST_ERR_BAD_URL: 'the path is not a valid percent-encoding',
  FST_ERR_MAX_PARAM_LENGTH: 'a part of the path is too long',
};

const HEADERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { 'accept-post': 'application/json' },
};

type Validation = NonNullable<FastifyError['validation']>[number];

/** Names the field that is missing, or is too many, not the object around it. */
function fieldProblem(
  part: FieldProblem['in'],
  { instancePath, keyword, params, message }: Validation,
): FieldProblem {
  const named = { required: 'missingProperty', additionalProperties: 'additionalProperty' }[keyword];
  const field = named === undefined ? undefined : params[named];
  const below = typeof field === 'string' ? `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}` : '';
  return { in: part, pointer: `${instancePath}${below}`, detail: detailOf(keyword, params, message) };
}

function detailOf(keyword: string, params: Validation['params'], message = 'is not valid'): string {
  if (keyword === 'required') return 'is missing';
  if (keyword === 'additionalProperties') return 'is not known';
  const { allowedValues } = params as { allowedValues?: unknown[] };
  if (keyword === 'enum' && allowedValues !== undefined) return `must be one of ${allowedValues.join(', ')}`;
  return message;
}
