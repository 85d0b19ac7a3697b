import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readSettingFile } from '../../src/kafka/setting-file.ts';

async function read(content: string | Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hippo-setting-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'secret'), content);
  return readSettingFile(join(folder, 'secret'), 'kafka.sasl.password_file');
}

test('a byte order mark is not part of a password', async () => {
  expect(await read('\u{feff}pässword\n')).toBe('pässword\n');
});

test('a certificate may have a comment that is not UTF-8', async () => {
  expect(await read(Buffer.from('# Autorit\xe9\n-----BEGIN', 'latin1'))).toContain('-----BEGIN');
});

test('UTF-16 is named as such', async () => {
  await expect(read(Buffer.from('\u{feff}password', 'utf16le'))).rejects.toMatchObject({
    message: 'the file of kafka.sasl.password_file cannot be read',
    why: 'it is UTF-16; it must be UTF-8',
  });
});
