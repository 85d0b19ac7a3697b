import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseConfig } from '../../src/config/schema.ts';
import { compileSources } from '../../src/client/host/sources.ts';
import { parseS3Url } from '../../src/sources/index.ts';
import { openClient } from '../../src/sources/s3-client.ts';

describe('the URL of a bucket', () => {
  it.each([
    ['s3://lake', 'lake', ''],
    ['s3://lake/', 'lake', ''],
    ['s3://lake/t', 'lake', 't/'],
    ['s3://lake/t/', 'lake', 't/'],
    ['s3://lake/a b/100%/日本', 'lake', 'a b/100%/日本/'],
    ['s3://lake//t', 'lake', '/t/'],
  ])('%s', (url, bucket, prefix) => {
    expect(parseS3Url(url)).toEqual({ bucket, prefix });
  });
});

describe('the sources of a hippo.yaml', () => {
  it('are named by what they watch', () => {
    const config = parseConfig({
      sources: {
        clicks: {
          table: 'web.clicks',
          s3: { url: 's3://lake/clicks' },
          levels: 'dt=*',
          complete: '_SUCCESS',
        },
        party: {
          table: 'btd.party',
          hdfs: { path: '/warehouse/party/', namenodes: 'http://nn1:9870,http://nn2:9870' },
        },
      },
    });
    const watched = compileSources({ config, directory: '/project' }, []);
    expect(watched.map(({ scanner, source }) => [scanner.place, source.settle])).toEqual([
      ['s3://lake/clicks/', 0],
      ['hdfs:/warehouse/party', 60_000],
    ]);
  });
});

describe('the credentials of a profile', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('are read anew for each scan', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hippo-aws-'));
    const file = join(folder, 'credentials');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
    const settings = { bucket: 'lake', prefix: '', endpoint: 'http://127.0.0.1:1', region: 'us-east-1' };
    const seen: string[] = [];
    for (const key of ['FIRST', 'SECOND']) {
      await writeFile(file, `[etl]\naws_access_key_id=${key}\naws_secret_access_key=secret\n`);
      const { client } = openClient({ ...settings, pathStyle: true, profile: 'etl', timeout: 1_000 });
      seen.push((await client.config.credentials()).accessKeyId);
      client.destroy();
    }
    await rm(folder, { recursive: true });
    expect(seen).toEqual(['FIRST', 'SECOND']);
  });
});
