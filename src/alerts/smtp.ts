/** Sends a mail by SMTP. In a file of its own in dist/, which is loaded when the first mail is sent: see scripts/build.ts. */
import { readFile } from 'node:fs/promises';
import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { messageOf } from '../core/errors.ts';
import { within } from '../core/deadline.ts';
import { formatDuration } from '../core/duration.ts';
import type { Mail } from './mail.ts';
import type { Outcome } from './types.ts';

/** How long the server may take to say good-bye, milliseconds: the mail is sent. */
const GOOD_BYE = 1_000;

/** @param signal aborted to stop at once */
export async function sendMail(mail: Mail, signal: AbortSignal): Promise<Outcome> {
  const { user, timeout } = mail.server;
  const began = performance.now();
  const took = (): { millis: number } => ({ millis: Math.round(performance.now() - began) });
  const connection = new Connection(mail);
  const stop = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  const stopped = (): void => connection.fail(new Error(`no answer within ${formatDuration(timeout)}`));
  stop.addEventListener('abort', stopped, { once: true });
  try {
    const [password, message] = await Promise.all([passwordOf(mail), composed(mail)]);
    await connection.open();
    if (user !== null) await connection.login({ user, pass: password });
    const answer = await connection.send(message);
    await connection.quit();
    return { kind: 'taken', answer, ...took() };
  } catch (error) {
    const code = responseCode(error);
    const answer = messageOf(error).split('\n', 1)[0] ?? '';
    // 5xx is for good: a user, an address or a message that the server does not take.
    if (code !== null && code >= 500) return { kind: 'refused', answer, ...took() };
    return { kind: 'failed', isSent: connection.isSent && code === null, answer, ...took() };
  } finally {
    stop.removeEventListener('abort', stopped);
    connection.close();
  }
}

/** nodemailer's connection, with promises that are rejected when it breaks. */
class Connection {
  readonly #mail: Mail;
  readonly #smtp: SMTPConnection;
  readonly #broken = Promise.withResolvers<never>();
  readonly #ended = Promise.withResolvers<undefined>();
  /** The message has left, and the server may have taken it. */
  isSent = false;

  constructor(mail: Mail) {
    const { host, port, isTls, user, timeout } = mail.server;
    this.#mail = mail;
    this.#smtp = new SMTPConnection({
      host,
      port,
      secure: isTls,
      // A password is never sent in clear text.
      requireTLS: user !== null,
      connectionTimeout: timeout,
      greetingTimeout: timeout,
      socketTimeout: timeout,
      socketCloseTimeout: 0,
      logger: false,
    });
    this.#broken.promise.catch(() => undefined);
    this.#smtp.on('error', (error: Error) => this.fail(error));
    this.#smtp.on('end', () => {
      this.#ended.resolve(undefined);
      this.fail(new Error('the server has closed the connection'));
    });
  }

  fail(error: Error): void {
    this.#broken.reject(error);
  }

  open(): Promise<void> {
    return this.#do((done) => this.#smtp.connect((error) => done(error ?? null)));
  }

  login(credentials: { user: string; pass: string }): Promise<void> {
    return this.#do((done) =>
      this.#smtp.login({ ...credentials, credentials }, (error) => done(error ?? null)),
    );
  }

  /** @returns what the server says */
  send(message: Buffer): Promise<string> {
    const { from, to } = this.#mail;
    this.isSent = true;
    return this.#do((done) =>
      this.#smtp.send({ from, to: [...to] }, message, (error, info) => {
        const { rejected: refused, response } = error === null ? info : { rejected: [], response: '' };
        const without = refused.length === 0 ? '' : `, but not for ${refused.join(', ')}`;
        done(error ?? null, `${response}${without}`);
      }),
    );
  }

  async quit(): Promise<void> {
    this.#smtp.quit();
    await within(this.#ended.promise, { millis: GOOD_BYE, late: () => undefined });
  }

  close(): void {
    this.#smtp.close();
  }

  #do<T>(work: (done: (error: Error | null, result?: T) => void) => void): Promise<T> {
    const result = Promise.withResolvers<T>();
    work((error, value) => {
      if (error === null) result.resolve(value as T);
      else result.reject(error);
    });
    return Promise.race([result.promise, this.#broken.promise]);
  }
}

async function passwordOf({ server: { password } }: Mail): Promise<string> {
  if (password === null) return '';
  if ('text' in password) return password.text;
  return (await readFile(password.file, 'utf8')).replace(/\r?\n$/, '');
}

/** Plain text. nodemailer folds and encodes what stands in headers, so that no subject adds one. */
async function composed({ from, to, subject, text }: Mail): Promise<Buffer> {
  const composer = new MailComposer({
    from,
    to: [...to],
    subject,
    text,
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: 'win',
  });
  return composer.compile().build();
}

function responseCode(error: unknown): number | null {
  const code = error instanceof Error && 'responseCode' in error ? error.responseCode : undefined;
  return typeof code === 'number' ? code : null;
}
