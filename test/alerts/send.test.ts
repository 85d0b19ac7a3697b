import { writeFile, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { describe, expect, it } from 'vitest';
import { type Outcome, type Receiver, send } from '../../src/alerts/index.ts';
import { httpReceiver } from './http-receiver.ts';
import { deliveryOf, receivers } from './receivers.ts';
import { smtpReceiver } from './smtp-receiver.ts';

const never = new AbortController().signal;
const toldTo = (receiver: Receiver | undefined, signal = never): Promise<Outcome> =>
  send(receiver!, deliveryOf({}), { mask: (text) => text.replaceAll('s3cret', '***'), signal });

describe('over HTTP', () => {
  const webhook = (url: string, more: object = {}): Receiver =>
    receivers({ hook: { webhook: { url: `${url}/s3cret`, ...more } } })[0]!;

  it.each<[string, number, object, Partial<Outcome> & object]>([
    ['takes it', 202, { body: 'thanks\nmore' }, { kind: 'taken', answer: '202: thanks' }],
    ['takes it and does not end', 200, { body: 'ok', endless: true }, { kind: 'taken', answer: '200: ok' }],
    ['does not know it', 404, { body: 'no s3cret here' }, { kind: 'refused', answer: '404: no *** here' }],
    ['is gone', 410, {}, { kind: 'refused', answer: '410' }],
    ['has too many', 429, { headers: { 'retry-after': '90' } }, { kind: 'busy', retryAfter: 90_000 }],
    ['is being restarted', 503, { headers: { 'retry-after': '3' } }, { kind: 'busy', retryAfter: 3_000 }],
    ['is broken', 500, {}, { kind: 'failed', isSent: true }],
    [
      'has moved',
      302,
      { headers: { location: 'https://other.example/s3cret' } },
      { kind: 'refused', answer: '302: it redirects to other.example; set the final URL' },
    ],
  ])('a receiver that %s', async (_, status, more, expected) => {
    await using server = await httpReceiver();
    server.answer = { status, ...more };
    const outcome = await toldTo(webhook(server.url, { headers: { Authorization: 'Bearer s3cret' } }));
    expect(outcome).toMatchObject(expected);
    expect(server.received).toHaveLength(1);
    expect(server.received[0]).toMatchObject({
      path: '/s3cret',
      headers: { authorization: 'Bearer s3cret', 'content-type': 'application/json' },
    });
  });

  it('a receiver that hangs, one that is not there, and an end of ownership', async () => {
    await using server = await httpReceiver();
    server.answer = 'hang';
    expect(await toldTo(webhook(server.url, { timeout: '200ms' }))).toMatchObject({
      kind: 'failed',
      isSent: true,
      answer: 'no answer within 200 ms',
    });
    expect(await toldTo(webhook(`http://127.0.0.1:${await getPort()}`))).toMatchObject({
      kind: 'failed',
      isSent: false,
      answer: expect.stringContaining('ECONNREFUSED') as string,
    });
    const lost = new AbortController();
    const sending = toldTo(webhook(server.url, { timeout: '1h' }), lost.signal);
    lost.abort();
    expect(await sending).toMatchObject({ kind: 'failed' });
  });
});

describe('by e-mail', () => {
  const mail = (port: number, more: object = {}, user = ''): Receiver =>
    receivers({
      ops: {
        email: {
          smtp: `smtp://${user}127.0.0.1:${port}`,
          from: 'hippo@example.org',
          to: ['ops@example.org', 'boss@example.org'],
          ...more,
        },
      },
    })[0]!;

  it('a server that takes it', async () => {
    await using server = await smtpReceiver();
    expect(await toldTo(mail(server.port))).toMatchObject({
      kind: 'taken',
      answer: expect.stringContaining('250') as string,
    });
    const [text = ''] = server.received;
    expect(text).toContain('Subject: etl: load 2017-04-28 has failed: exit code 3\r\n');
    expect(text).toContain('To: ops@example.org, boss@example.org');
    expect(text.replaceAll('=\r\n', '')).toContain('=E2=96=B2 load 2017-04-28 has failed: exit code 3');
  });

  it('a text cannot add a header', async () => {
    await using server = await smtpReceiver();
    const evil = deliveryOf({ text: 'x\r\nBcc: thief@example.org\r\n\r\nbody' });
    await send(mail(server.port), evil, { mask: String, signal: never });
    expect(server.received[0]).not.toMatch(/^Bcc:/m);
    expect(server.received[0]).toMatch(/^Subject: etl: x\\r\\nBcc: thief/m);
  });

  it('a server that refuses, that is busy, that hangs, that is not there', async () => {
    await using server = await smtpReceiver();
    server.answer = { code: 554, text: 'no s3cret spam' };
    expect(await toldTo(mail(server.port))).toMatchObject({
      kind: 'refused',
      answer: expect.stringMatching(/554.*no \*\*\* spam/) as string,
    });
    server.answer = { code: 451, text: 'later' };
    expect(await toldTo(mail(server.port))).toMatchObject({ kind: 'failed', isSent: false });
    server.answer = 'hang';
    expect(await toldTo(mail(server.port, { timeout: '300ms' }))).toMatchObject({
      kind: 'failed',
      answer: 'no answer within 300 ms',
    });
    expect(await toldTo(mail(1))).toMatchObject({
      kind: 'failed',
      isSent: false,
      answer: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  it('no password goes over a connection without TLS', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'hippo-test-mail-'));
    await writeFile(join(folder.path, 'password'), 's3cret\n');
    const tried: string[] = [];
    await using server = await smtpReceiver({
      authOptional: true,
      allowInsecureAuth: true,
      onAuth: ({ password }, _session, callback) => {
        tried.push(password ?? '');
        callback(null, { user: 'hippo' });
      },
    });
    const receiver = mail(server.port, { password_file: join(folder.path, 'password') }, 'hippo@');
    expect((await toldTo(receiver)).kind).not.toBe('taken');
    expect(tried).toEqual([]);
  });
});
