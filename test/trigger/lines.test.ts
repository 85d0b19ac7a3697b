import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { badLinesError, checkLines } from '../../src/trigger/check-lines.ts';
import { LineReader } from '../../src/trigger/file-message.ts';
import { findLines, readLines } from '../../src/records/lines.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-lines-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const running = new AbortController().signal;

async function linesOf(content: Buffer): Promise<string[]> {
  const found: string[] = [];
  const file = { name: '', shown: '', size: content.length, content };
  for await (const { first, lines } of readLines(file, running)) {
    expect(first).toBe(found.length + 1);
    found.push(...lines.map((line) => line.toString('latin1')));
  }
  return found;
}

describe('the lines of a file', () => {
  test.each([
    ['', []],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\nb', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['\n\na\n', ['', '', 'a']],
    ['\u{feff}a\n', ['a']],
    // Two files, one put behind the other.
    ['\u{feff}a\n\u{feff}b\n', ['a', 'b']],
    ['\u{feff}', ['']],
    ['\u{feff}\r\n', ['']],
  ])('%j', async (text, lines) => {
    await expect(linesOf(Buffer.from(text))).resolves.toEqual(lines);
  });

  test('are the same wherever a read of the file ends', async () => {
    const file = join(folder, 'large');
    const line = fc.sample(
      fc.string({ minLength: 0, maxLength: 700, size: 'max', unit: fc.constantFrom('a', 'b', 'c') }),
      { numRuns: 4_000, seed: 7 },
    );
    await writeFile(file, line.map((text) => `${text}\n`).join(''));
    const found: string[] = [];
    let last = 0;
    for await (const { lines, bytes } of readLines(await findLines(file), running)) {
      found.push(...lines.map(String));
      last = bytes;
    }
    expect(found).toEqual(line);
    expect(last).toBe((await findLines(file)).size);
    expect(last).toBeGreaterThan(2 * 512 * 1024);
  });

  test.each([
    ['UTF-16', Buffer.from('\u{feff}{"db":"btd"}\n', 'utf16le')],
    ['UTF-16', Buffer.from('\u{feff}{"db":"btd"}\n', 'utf16le').swap16()],
    ['UTF-16LE', Buffer.from('{"db":"btd"}\n', 'utf16le')],
    ['UTF-16BE', Buffer.from('{"db":"btd"}\n', 'utf16le').swap16()],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x7b, 0, 0, 0])],
    ['UTF-32BE', Buffer.from([0, 0, 0, 0x7b])],
    ['UTF-16', Buffer.from([0xff, 0xfe])],
  ])('%s is named', async (encoding, content) => {
    const file = { name: 'my events', shown: 'my events', size: content.length, content };
    await expect(readLines(file, running).next()).rejects.toMatchObject({
      message: `my events is ${encoding}; it must be UTF-8`,
      next: [`iconv -f ${encoding} -t UTF-8 'my events' > 'my events.utf8'`],
    });
  });

  test('a path that is not a readable file is refused, with its name', async () => {
    const missing = join(folder, 'none');
    await expect(findLines(missing)).rejects.toMatchObject({
      message: `there is no file ${missing}`,
      why: `It was looked for in ${folder}.`,
      next: ['correct the name of the file', expect.stringContaining(`--exit-at-end --json > ${missing}`)],
    });
    await expect(findLines(folder)).rejects.toThrow(`${folder} is a folder`);
  });
});

describe('a file with lines that are not events', () => {
  const GOOD = '{"db":"btd","table":"party","partition":[],"exec_date":"1493394946"}';

  async function check(lines: string[], fromLine = 1): Promise<Error | undefined> {
    const content = Buffer.from(lines.join('\n'));
    const file = { name: 'events.jsonl', shown: 'events.jsonl', size: content.length, content };
    const checked = await checkLines(file, new LineReader(new Map()), fromLine, running);
    return checked.bad === 0 ? undefined : badLinesError(file, checked);
  }

  test('blank lines do not count as bad lines', async () => {
    await expect(check([GOOD, '', '  ', GOOD])).resolves.toBeUndefined();
  });

  test('is refused with the number and reason of its one bad line, and with what is allowed', async () => {
    await expect(check([GOOD, '{"db":"btd"}'])).resolves.toMatchObject({
      message: 'a line of events.jsonl is not an event: table is missing; it must be text',
      place: { file: 'events.jsonl', line: 2 },
      why: expect.stringMatching(/^Nothing was published\.\nA line is a frontier event/) as string,
      next: ['hippo trigger --file events.jsonl --skip-bad'],
    });
  });

  test('is refused with the first of many bad lines, and the number of the others', async () => {
    const error = await check([GOOD, ...Array.from({ length: 12 }, () => '[]')]);
    expect(error).toMatchObject({
      message: '12 lines of events.jsonl are not events',
      why: expect.stringContaining(
        'line 11: must be a JSON object, not a list\nand 2 more\nNothing was',
      ) as string,
    });
  });

  test('does not suggest --skip-bad if every line is bad', async () => {
    await expect(check(['[]', '[]'])).resolves.toMatchObject({
      message: 'none of the 2 lines of events.jsonl is an event',
      next: ['correct --file'],
    });
    await expect(check(['[]'])).resolves.toMatchObject({ next: ['correct --file'] });
  });

  test('is accepted if its bad lines stand before --from-line', async () => {
    await expect(check(['no event', GOOD], 2)).resolves.toBeUndefined();
  });
});
