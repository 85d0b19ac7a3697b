import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fileReason } from '../../src/core/file-reason.ts';

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test('says in words what the file system says', () => {
  expect(fileReason(thrownBy(() => readFileSync('/no/such/file')))).toBe('there is no such file or folder');
  expect(fileReason(thrownBy(() => readFileSync('/')))).toBe('it is a folder, not a file');
  expect(fileReason(thrownBy(() => readFileSync('/etc/passwd/x')))).toBe(
    'a part of its path is a file, not a folder',
  );
});

test.each([
  ["EIO: i/o error, scandir '/mnt/x'", 'i/o error (EIO)'],
  ['EMFILE: too many open files, watch', 'too many open files (EMFILE)'],
  ['it is not UTF-8', 'it is not UTF-8'],
])('%s', (message, reason) => {
  expect(fileReason(new Error(message))).toBe(reason);
});
