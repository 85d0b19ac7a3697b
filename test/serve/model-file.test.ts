import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Targets, followModelFile, parseModelFile, readModelFile } from '../../src/serve/model-file.ts';
import { newModelFolder } from './support.ts';

const FILE = (version: string | null) =>
  JSON.stringify({
    models: {
      iris: {
        location: '/m',
        s3: { region: 'eu' },
        serving: version === null ? null : { version, manifest_sha256: 'ab' },
      },
    },
  });

it('says which version is where', () => {
  expect([...parseModelFile(FILE('v1'))]).toEqual([
    [
      'iris',
      { place: { location: '/m', s3: { region: 'eu' } }, serving: { version: 'v1', manifestSha256: 'ab' } },
    ],
  ]);
  expect(parseModelFile(FILE(null)).get('iris')?.serving).toBeNull();
});

it.each([
  ['', 'Unexpected end of JSON input'],
  ['[]', 'the file is not an object'],
  ['{}', '"models" is not an object'],
  ['{"models":{}}', '"models" is empty'],
  ['{"models":{"a":1}}', '"models.a" is not an object'],
  ['{"models":{"a":{}}}', '"models.a.location" is not a text'],
  ['{"models":{"a":{"location":"/m","serving":{}}}}', '"models.a.serving.version" is not a text'],
])('is refused: %s', (text, why) => {
  expect(() => parseModelFile(text)).toThrow(why);
});

it('that is missing is a problem of the one who starts the service', async () => {
  const { file } = await newModelFolder();
  await expect(readModelFile(file)).rejects.toMatchObject({
    exitCode: 2,
    why: 'there is no such file or folder',
  });
});

describe('to follow it', () => {
  it('tells each change, and of what is broken once, after which the next change counts', async () => {
    const { file, folder } = await newModelFolder();
    const replace = async (text: string): Promise<void> => {
      await writeFile(join(folder, 'draft'), text);
      await rename(join(folder, 'draft'), file);
    };
    await replace(FILE('v1'));
    const versions: (string | undefined)[] = [];
    const errors: string[] = [];
    const stop = new AbortController();
    const onTargets = (targets: Targets): void => void versions.push(targets.get('iris')?.serving?.version);
    followModelFile(file, stop.signal, { onTargets, onError: (text) => errors.push(text), every: 10 });
    await expect.poll(() => versions).toEqual(['v1']);
    await replace(FILE('v2'));
    await expect.poll(() => versions).toEqual(['v1', 'v2']);
    await replace('{');
    await expect.poll(() => errors).toHaveLength(1);
    await replace(FILE('v3'));
    await expect.poll(() => versions).toEqual(['v1', 'v2', 'v3']);
    stop.abort();
    expect(errors[0]).toMatch(/^\$HIPPO_MODEL_FILE cannot be used: /);
  });
});
