import { type Json, parseJson } from '../core/json.ts';
import { HttpProblem } from './reply.ts';
import type { HttpRequest } from './route.ts';

/**
 * The body as JSON.
 *
 * @throws HttpProblem 415 when it says that it is something else; 400 when it is none; 413 when it is too large
 */
export async function readJson({ headers, body }: Pick<HttpRequest, 'headers' | 'body'>): Promise<Json> {
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (!/^application\/([\w.-]+\+)?json$/i.test(type.trim()))
    throw new HttpProblem(415, 'the body must be JSON, with content-type: application/json', {
      'accept-post': 'application/json',
    });
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new HttpProblem(415, 'the body must not be compressed');
  const bytes = await body();
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new HttpProblem(400, 'the body is not JSON in UTF-8');
  }
}
