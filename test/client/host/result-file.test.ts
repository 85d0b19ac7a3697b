import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { JsonNumber } from '../../../src/core/json.ts';
import { MAX_RESULT_BYTES, takeResult } from '../../../src/client/host/result-file.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-result-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
  ['an object', '{"rows": 3, "more": {"a": [1]}}\n', { ok: true, result: { rows: 3, more: { a: [1] } } }],
  ['nothing', '', { ok: true, result: null }],
  ['blanks', ' \n', { ok: true, result: null }],
  [
    'numbers of any size',
    '{"max": 9223372036854775807, "price": [1.10]}',
    { ok: true, result: { max: new JsonNumber('9223372036854775807'), price: [new JsonNumber('1.10')] } },
  ],
  [
    'more levels than a message may have',
    `{"a":${'['.repeat(64)}${']'.repeat(64)}}`,
    { ok: false, why: 'it is nested more than 32 levels deep' },
  ],
  ['a list', '[1]', { ok: false, why: 'it is not a JSON object' }],
  ['null', 'null', { ok: false, why: 'it is not a JSON object' }],
  ['half of an object', '{"rows":', { ok: false, why: expect.stringContaining('JSON') as string }],
  ['two objects', '{}{}', { ok: false, why: expect.stringContaining('JSON') as string }],
  ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), { ok: false, why: 'it is not UTF-8' }],
  ['a byte order mark', '\u{feff}{"rows": 3}', { ok: true, result: { rows: 3 } }],
  ['UTF-16', Buffer.from('{"rows": 3}', 'utf16le'), { ok: false, why: 'it is UTF-16LE; it must be UTF-8' }],
  [
    'too much',
    `{"a":"${'x'.repeat(MAX_RESULT_BYTES)}"}`,
    { ok: false, why: `it has ${MAX_RESULT_BYTES + 8} bytes; at most ${MAX_RESULT_BYTES} are allowed` },
  ],
])('%s', async (_, content, result) => {
  const file = join(folder, 'result.json');
  await writeFile(file, content);
  expect(takeResult(file)).toEqual(result);
  expect(existsSync(file)).toBe(false);
});

it('no file', () => expect(takeResult(join(folder, 'missing'))).toEqual({ ok: true, result: null }));
it('a folder', async () => {
  const path = join(folder, 'result.json');
  await mkdir(path);
  expect(takeResult(path)).toMatchObject({ ok: false });
  expect(existsSync(path)).toBe(false);
});
