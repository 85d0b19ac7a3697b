import { STATUS_CODES } from 'node:http';

export interface Reply {
  status: number;
  contentType: string;
  headers?: Readonly<Record<string, string>>;
  body: string | Buffer;
}

export function json(value: unknown, status = 200): Reply {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` };
}

export function text(body: string, contentType = 'text/plain; charset=utf-8'): Reply {
  return { status: 200, contentType, body };
}

/** A request that is answered with an error: a handler throws it, and the client gets it as problem+json (RFC 9457). */
export class HttpProblem extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #more: Readonly<Record<string, unknown>>;

  /**
   * @param detail what is wrong with this request; it is sent to the client
   * @param more further members of the problem, such as a list of what is wrong
   */
  constructor(
    status: number,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
    more: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
    this.#more = more;
    this.name = 'HttpProblem';
    this.status = status;
    this.headers = headers;
  }

  /** The same problem with further members. */
  with(more: Readonly<Record<string, unknown>>): HttpProblem {
    return new HttpProblem(this.status, this.message, this.headers, { ...this.#more, ...more });
  }

  get reply(): Reply {
    const { status, headers, message: detail } = this;
    const title = STATUS_CODES[status] ?? 'Unknown';
    return {
      status,
      contentType: 'application/problem+json',
      headers,
      body: `${JSON.stringify({ type: 'about:blank', title, status, detail, ...this.#more })}\n`,
    };
  }
}
