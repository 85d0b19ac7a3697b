import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseConfig } from '../../src/config/schema.ts';
import { compileSources } from '../../src/client/host/sources.ts';
import { S3Scanner, parseLevels, parseS3Url } from '../../src/sources/index.ts';
import { openClient } from '../../src/sources/s3-client.ts';
import { scanOnce } from '../support/scan.ts';

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
    expect(watched.map(({ scanner, source }) => [scanner.place, source.settle, scanner.ifEmpty])).toEqual([
      ['s3://lake/clicks/', 0, 'check s3.url'],
      ['hdfs:/warehouse/party', 60_000, 'check hdfs.path'],
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

describe('a server that answers', () => {
  afterEach(() => vi.unstubAllEnvs());

  interface Answer {
    status?: number;
    body: string;
  }

  /** Scans `dt=*` of the bucket lake, whose requests get these answers, the last one again and again. */
  async function scanned(answers: readonly Answer[]) {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    let asked = 0;
    const server = createServer((_, response) => {
      const { status = 200, body } = answers[Math.min(asked, answers.length - 1)] ?? { body: '' };
      asked += 1;
      response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const parsed = parseLevels('dt=*');
    const scanner = new S3Scanner({
      ...{ bucket: 'lake', prefix: '', endpoint, region: 'us-east-1', pathStyle: true, profile: undefined },
      ...{ timeout: 10_000, levels: parsed.ok ? parsed.levels : [], marker: null },
    });
    const { error, landings } = await scanOnce(scanner);
    return { error, landings, endpoint, asked };
  }

  const list = (inner: string): Answer => ({ body: `<ListBucketResult>${inner}</ListBucketResult>` });
  const goesOn = (token: string): Answer =>
    list(
      `<IsTruncated>true</IsTruncated>${token === '' ? '' : `<NextContinuationToken>${token}</NextContinuationToken>`}`,
    );

  it('that its list goes on, and not where, is not S3', async () => {
    const { error, asked, endpoint } = await scanned([goesOn('')]);
    expect(error).toMatchObject({
      kind: 'service',
      why: `${endpoint} does not answer as S3 does (its list goes on, but it does not say where): check s3.endpoint`,
    });
    expect(asked).toBe(1);
  });

  it('that its list goes on where it was before is not S3', async () => {
    const { error, asked, endpoint } = await scanned([goesOn('a'), goesOn('b'), goesOn('a')]);
    expect(error).toMatchObject({
      why: `${endpoint} does not answer as S3 does (its list goes on at a page before): check s3.endpoint`,
    });
    expect(asked).toBe(3);
  });

  it('with several pages is read to its end', async () => {
    const found = await scanned([goesOn('a'), list('<IsTruncated>false</IsTruncated>')]);
    expect(found).toMatchObject({ asked: 2, landings: [], error: undefined });
  });

  it.each([
    [404, 'NoSuchBucket', 'there is no bucket lake at'],
    [301, 'PermanentRedirect', 'the bucket is in another region'],
    [400, 'AuthorizationHeaderMalformed', 'the bucket is in another region'],
  ])('%s %s says that a setting is wrong', async (status, code, why) => {
    const { error, asked } = await scanned([{ status, body: `<Error><Code>${code}</Code></Error>` }]);
    expect(error).toMatchObject({
      kind: 'user',
      message: 's3://lake/ cannot be listed',
      why: expect.stringContaining(why) as string,
    });
    expect(asked).toBe(1);
  });
});
