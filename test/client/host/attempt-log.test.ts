import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { closeSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  attemptLogPath,
  lastLines,
  noteInLog,
  openLog,
  readEnds,
  tailOf,
} from '../../../src/client/host/attempt-log.ts';

/** Any character, and half a one. */
const any = fc.nat(0xffff).map((code) => String.fromCharCode(code));

describe('the path of a log', () => {
  it('names job, run and attempt', () => {
    expect(attemptLogPath('/p', { job: 'load', key: 'yyyymm=201704', attemptId: 'load-1-a' })).toBe(
      '/p/.hippo/logs/load/yyyymm=201704.load-1-a.log',
    );
  });

  it('stays in the folder of logs, whatever a partition is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: any, minLength: 1 }), fc.string({ unit: any }), (key, job) => {
        const path = attemptLogPath('/p', { job: `j${job}`, key, attemptId: 'a' });
        expect(dirname(dirname(path))).toBe('/p/.hippo/logs');
        expect(basename(path)).toMatch(/^[A-Za-z0-9_=%-][A-Za-z0-9._=%-]*$/);
        expect(Buffer.byteLength(basename(path))).toBeLessThanOrEqual(255);
      }),
    );
  });
});

describe('the last lines', () => {
  it.each([
    ['nothing', '', false, ''],
    ['no empty ones at the end', 'one\ntwo\n\n \n', false, 'one\ntwo'],
    [
      'twenty',
      Array.from({ length: 30 }, (_, i) => i + 1).join('\n'),
      false,
      Array.from({ length: 20 }, (_, i) => i + 11).join('\n'),
    ],
    ['without a first one that was cut', 'the end of one\ntwo', true, 'two'],
    ['but of one long line its end', 'the end of one', true, 'the end of one'],
    ['a progress bar as it ended', '[=>  ] 10%\r[==> ] 50%\r[===>] 100%\ndone', false, '[===>] 100%\ndone'],
    ['lines of Windows', 'one\r\ntwo\r\n', false, 'one\ntwo'],
    ['no colours', '\u001b[31mred\u001b[0m', false, 'red'],
    ['no bells, nulls or half characters', 'a\u0007\u0000b\ufffd', false, 'ab'],
  ])('are %s', (_, text, cut, lines) => expect(lastLines(text, cut)).toBe(lines));

  it('hold no control characters but line ends and tabs', () => {
    fc.assert(
      fc.property(fc.string({ unit: any }), fc.boolean(), (text, cut) => {
        // eslint-disable-next-line no-control-regex -- that is the point
        expect(lastLines(text, cut)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      }),
    );
  });
});

describe('a log', () => {
  async function log(text: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'hippo-log-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'log'), text);
    return join(folder, 'log');
  }

  it('of 4 kB is looked at from its end', async () => {
    expect(await log(`${'x'.repeat(5_000)}\nlast\n`).then(tailOf)).toBe('last');
    expect(tailOf('/no/such/log')).toBe('');
  });

  it('is read at both ends', async () => {
    const text = `first\n${'x'.repeat(1_000_000)}\nlast\n`;
    const ends = readEnds(await log(text));
    expect(ends.startsWith('first\n')).toBe(true);
    expect(ends.endsWith('\nlast\n')).toBe(true);
    expect(ends.length).toBeLessThan(text.length);
    expect(readEnds(await log('all'))).toBe('all');
    expect(readEnds('/no/such/log')).toBe('');
  });

  it("is its owner's only, and takes what the job and the client say", async () => {
    const path = join(dirname(await log('')), 'a', 'b', 'log');
    const file = openLog(path);
    writeSync(file, 'the job\n');
    closeSync(file);
    noteInLog(path, 'the client');
    expect(await readFile(path, 'utf8')).toBe('the job\nhippo: the client\n');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
    expect(() => noteInLog(join(path, 'log'), 'text')).not.toThrow();
  });
});
