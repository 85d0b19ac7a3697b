/** A source that watches a bucket: moto is the S3, and a proxy before it brings what moto does not. */
import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { type S3Patience, S3Scanner, parseLevels, parseS3Url } from '../../src/sources/index.ts';
import { announced, partitionsOf } from '../support/announced.ts';
import { type Fault, FaultyProxy, s3Error } from '../support/faults.ts';
import { AWS_ENV, Moto } from '../support/moto.ts';
import { type TestProject, finishes, test } from '../support/project.ts';
import { idsOf, scanOnce } from '../support/scan.ts';

let moto: Moto;
/** A new one for each test. */
let bucket: string;

beforeAll(async () => {
  moto = await Moto.start();
});

afterAll(() => moto.stop());

afterEach(() => vi.unstubAllEnvs());

async function newBucket(): Promise<void> {
  bucket = `lake-${newId().slice(0, 8)}`;
  await moto.makeBucket(bucket);
  for (const [name, value] of Object.entries(AWS_ENV)) vi.stubEnv(name, value);
}

interface Watched {
  url?: string;
  levels?: string;
  marker?: string | null;
  endpoint?: string;
  region?: string;
  timeout?: number;
  patience?: S3Patience;
}

function scanner({ url = `s3://${bucket}/t`, levels = 'dt=*', ...options }: Watched = {}): S3Scanner {
  const parsed = parseLevels(levels);
  if (!parsed.ok) throw new Error(parsed.message);
  return new S3Scanner({
    ...parseS3Url(url),
    endpoint: moto.endpoint,
    region: undefined,
    profile: undefined,
    pathStyle: true,
    timeout: 10_000,
    marker: '_SUCCESS',
    ...options,
    levels: parsed.levels,
  });
}

const put = (...keys: string[]) => Promise.all(keys.map((key) => moto.put(bucket, key)));

describe('a bucket', () => {
  it('lists the partitions that have their marker, and of no prefix but its own', async () => {
    await newBucket();
    await put(
      't/dt=2/a',
      't/dt=2/_SUCCESS',
      't/dt=1/_SUCCESS',
      't/dt=3/a',
      't2/dt=9/_SUCCESS',
      'dt=8/_SUCCESS',
    );
    await put(
      't/README',
      't/_temporary/dt=7/_SUCCESS',
      't/dt=4/_SUCCESS.bak',
      't/dt=5/_SUCCESS/x',
      't//dt=6/_SUCCESS',
    );
    const { landings, skips } = await scanOnce(scanner());
    expect(landings).toMatchObject([
      { id: 'dt=1', partition: [{ name: 'dt', value: '1' }] },
      { id: 'dt=2', partition: [{ name: 'dt', value: '2' }] },
    ]);
    expect(Math.abs(Date.now() - (landings[0]?.landedAt ?? 0))).toBeLessThan(120_000);
    expect(skips).toEqual([
      `s3://${bucket}/t//: its name is not dt=*`,
      `s3://${bucket}/t/README: it is not a folder`,
      `s3://${bucket}/t/dt=3: it has no _SUCCESS …`,
      `s3://${bucket}/t/dt=4: it has no _SUCCESS …`,
      `s3://${bucket}/t/dt=5: it has no _SUCCESS …`,
    ]);
    expect(idsOf(await scanOnce(scanner({ url: `s3://${bucket}` })))).toEqual(['dt=8']);
    expect(idsOf(await scanOnce(scanner({ url: `s3://${bucket}/t/dt=1`, levels: '' })))).toEqual(['']);
  });

  it('takes keys as they are, with all characters that a key may have', async () => {
    await newBucket();
    const names = ['dt=a b', 'dt=a+b', 'dt=50%', 'dt=%2F', 'dt=日本', 'dt=&<"\'>', 'dt=🦛', 'dt=?x=1#y'];
    await put(...names.map((name) => `t/${name}/_SUCCESS`), 't/dt=x\u0001/_SUCCESS');
    const { landings, skips } = await scanOnce(scanner());
    expect(landings.map(({ partition: [level] }) => level?.value).toSorted()).toEqual(
      ['a b', 'a+b', '50%', '/', '日本', '&<"\'>', '🦛', '?x=1#y'].toSorted(),
    );
    expect(skips).toEqual([
      `s3://${bucket}/t/dt=x\u0001: partition[0].value must have no control characters`,
    ]);
  });

  it('passes over what only stands for a folder, and uploads that are not complete', async () => {
    await newBucket();
    await put(
      't/',
      't/dt=1/',
      't/dt=2_$folder$',
      't/dt=3/',
      't/dt=3/a',
      't/dt=4/deep/',
      't/dt=4/deep/a',
      't/dt=5/a.tmp',
    );
    const upload = { Bucket: bucket, Key: 't/dt=6/big' };
    const { UploadId } = await moto.client.send(new CreateMultipartUploadCommand(upload));
    const part = { ...upload, UploadId, PartNumber: 1, Body: Buffer.from('half') };
    await moto.client.send(new UploadPartCommand(part));
    const { landings, skips } = await scanOnce(scanner({ marker: null }));
    expect(landings.map(({ id }) => id)).toEqual(['dt=3', 'dt=4']);
    expect(skips).toEqual([
      `s3://${bucket}/t/dt=1: it has no files …`,
      `s3://${bucket}/t/dt=5: s3://${bucket}/t/dt=5/a.tmp is being written …`,
    ]);
  });

  it('tells what is written again from what is not, with or without a marker', async () => {
    await newBucket();
    await put('t/dt=1/_SUCCESS', 't/dt=1/a', 't/dt=2/b', 't/dt=2/_SUCCESS');
    const marked = async (): Promise<string[]> =>
      (await scanOnce(scanner())).landings.map(({ found }) => found);
    const whole = async (): Promise<string[]> =>
      (await scanOnce(scanner({ marker: null }))).landings.map(({ found }) => found);
    const [before, wholeBefore] = [await marked(), await whole()];
    expect(await marked()).toEqual(before);
    expect(await whole()).toEqual(wholeBefore);
    // A marker is empty, so its ETag stays the same.
    await expect
      .poll(async () => {
        await put('t/dt=1/_SUCCESS');
        return (await marked())[0] === before[0];
      })
      .toBe(false);
    expect((await marked())[1]).toBe(before[1]);
    await moto.put(bucket, 't/dt=2/b', 'more');
    expect((await whole())[1]).not.toBe(wholeBefore[1]);
    await moto.remove(bucket, 't/dt=2/_SUCCESS');
    expect(await marked()).toHaveLength(1);
    await moto.remove(bucket, 't/dt=2/b');
    expect(await whole()).toHaveLength(1);
  });

  it('is listed page by page', async () => {
    await newBucket();
    await using proxy = await FaultyProxy.start(moto.endpoint);
    proxy.rewrite = (path) => (path.includes('max-keys') ? path : `${path}&max-keys=2`);
    await put(...Array.from({ length: 7 }, (_, index) => `t/dt=${index}/region=a%2Fb/_SUCCESS`));
    const found = await scanOnce(scanner({ endpoint: proxy.url, levels: 'dt=*/region=*' }));
    expect(idsOf(found)).toEqual(Array.from({ length: 7 }, (_, index) => `dt=${index}/region=a%2Fb`));
    expect(proxy.requests.filter((request) => request.includes('continuation-token')).length).toBe(3);
  });
});

describe('an S3 that fails', () => {
  const SLOW_DOWN = s3Error(503, 'SlowDown', 'Please reduce your request rate.');

  it('is waited for while it is busy, and the log says so once', async () => {
    await newBucket();
    await put('t/dt=1/_SUCCESS', 't/dt=2/_SUCCESS');
    await using proxy = await FaultyProxy.start(moto.endpoint);
    let left = 6;
    proxy.fault = () => ((left -= 1) >= 0 ? SLOW_DOWN : undefined);
    const patience = { notice: 5, giveUp: 60_000, first: 10 };
    const found = await scanOnce(scanner({ endpoint: proxy.url, patience }));
    expect(idsOf(found)).toEqual(['dt=1', 'dt=2']);
    expect(found.error).toBeUndefined();
    expect(found.waits).toEqual([
      expect.stringMatching(
        new RegExp(`^s3://${bucket}/t/ is busy since .+ \\(503 SlowDown\\): the scan waits, and goes on$`),
      ),
    ]);
    proxy.fault = () => SLOW_DOWN;
    const { error } = await scanOnce(scanner({ endpoint: proxy.url, patience: { ...patience, giveUp: 50 } }));
    expect(error).toMatchObject({ message: `s3://${bucket}/t/ cannot be listed`, why: '503 SlowDown' });
  });

  it('is asked again after a fault of the network or of the server', async () => {
    await newBucket();
    await put('t/dt=1/_SUCCESS');
    await using proxy = await FaultyProxy.start(moto.endpoint);
    const faults: ReturnType<FaultyProxy['fault']>[] = [
      'cut',
      s3Error(500, 'InternalError', 'We encountered an error.'),
    ];
    proxy.fault = () => faults.shift();
    const patience = { notice: 60_000, giveUp: 60_000, first: 10 };
    expect(idsOf(await scanOnce(scanner({ endpoint: proxy.url, patience })))).toEqual(['dt=1']);
    proxy.fault = () => 'hang';
    const { error } = await scanOnce(scanner({ endpoint: proxy.url, patience, timeout: 50 }));
    expect(error).toMatchObject({ why: `${proxy.url} has not answered within 50 ms` });
  });

  it.each<[string, Fault, string]>([
    [
      'denies the list',
      s3Error(403, 'AccessDenied', 'Access Denied'),
      'ENDPOINT denies the list (403 AccessDenied): the credentials need s3:ListBucket on BUCKET for t/',
    ],
    [
      'does not know the key',
      s3Error(
        403,
        'InvalidAccessKeyId',
        'The AWS Access Key Id you provided does not exist in our records.',
        {
          inner: `<AWSAccessKeyId>${AWS_ENV.AWS_ACCESS_KEY_ID}</AWSAccessKeyId>`,
        },
      ),
      'ENDPOINT does not accept the credentials (403 InvalidAccessKeyId): ' +
        'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (or s3.profile), where the client runs',
    ],
    [
      'is asked with credentials that have expired',
      s3Error(400, 'ExpiredToken', 'The provided token has expired.'),
      'the credentials have expired (400 ExpiredToken): renew them where the client runs',
    ],
    [
      'is asked in another region',
      s3Error(301, 'PermanentRedirect', 'The bucket you are attempting to access must be addressed using …', {
        headers: { 'x-amz-bucket-region': 'eu-west-1' },
      }),
      'the bucket is in another region (301 PermanentRedirect): set s3.region: eu-west-1',
    ],
    [
      'is asked in another region, and says which one it wants',
      s3Error(
        400,
        'AuthorizationHeaderMalformed',
        "The authorization header is malformed; the region 'us-east-1' is wrong",
        {
          inner: '<Region>eu-west-1</Region>',
        },
      ),
      'the bucket is in another region (400 AuthorizationHeaderMalformed): set s3.region: eu-west-1',
    ],
    [
      'sees another clock',
      s3Error(
        403,
        'RequestTimeTooSkewed',
        'The difference between the request time and the current time is too large.',
      ),
      "this machine's clock is wrong (403 RequestTimeTooSkewed): set it, e.g. with chrony",
    ],
    [
      'is a web page',
      {
        status: 200,
        headers: { 'content-type': 'text/html' },
        body: '<!doctype html><title>It works</title><p>here',
      },
      'ENDPOINT does not answer as S3 does (status 200): check s3.endpoint',
    ],
  ])('says what is wrong, and what to do: one that %s', async (_, fault, expected) => {
    await newBucket();
    await using proxy = await FaultyProxy.start(moto.endpoint);
    proxy.fault = () => fault;
    const { error } = await scanOnce(scanner({ endpoint: proxy.url }));
    const why = expected.replace('ENDPOINT', proxy.url).replace('BUCKET', bucket);
    expect(error).toMatchObject({ message: `s3://${bucket}/t/ cannot be listed`, why });
    // Once: another try would fail in the same way.
    expect(proxy.requests).toHaveLength(1);
  });

  it('says so of a bucket that is not there, of credentials and of a region that are missing', async () => {
    await newBucket();
    const missing = scanner({ url: 's3://no-such-bucket/t' });
    expect((await scanOnce(missing)).error).toMatchObject({
      kind: 'user',
      message: 's3://no-such-bucket/t/ cannot be listed',
      why: `there is no bucket no-such-bucket at ${moto.endpoint} (404 NoSuchBucket): check s3.url and s3.endpoint`,
    });
    vi.stubEnv('AWS_REGION', undefined);
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere');
    expect((await scanOnce(scanner())).error).toMatchObject({
      why: 'no region is set: set s3.region, or AWS_REGION',
    });
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    expect((await scanOnce(scanner({ region: 'us-east-1' }))).error).toMatchObject({
      why: expect.stringMatching(/^there are no AWS credentials: set AWS_ACCESS_KEY_ID and /) as string,
    });
  });

  it('goes on with the rest where a right is denied to a part of it', async () => {
    await newBucket();
    await put('t/dt=1/region=a/_SUCCESS', 't/dt=2/region=a/_SUCCESS');
    await using proxy = await FaultyProxy.start(moto.endpoint);
    proxy.fault = (path) =>
      decodeURIComponent(path).includes('prefix=t/dt=1/')
        ? s3Error(403, 'AccessDenied', 'Access Denied')
        : undefined;
    const found = await scanOnce(scanner({ endpoint: proxy.url, levels: 'dt=*/region=*' }));
    expect(idsOf(found)).toEqual(['dt=2/region=a']);
    expect(found.error).toMatchObject({ message: `s3://${bucket}/t/dt=1 cannot be listed` });
  });
});

const JOBS = `load:
  every: day
  needs: [{ table: shop.orders, partition: { dt: '{{ window }}' } }]
  run: ./job.sh`;

test('an S3 source announces each landing once, over kill -9', async ({ makeProject }) => {
  await newBucket();
  await using proxy = await FaultyProxy.start(moto.endpoint);
  const project = await makeProject(
    JOBS,
    'exit 0',
    `client: { session_timeout: 6s }
sources:
  orders:
    { table: shop.orders, s3: { url: 's3://${bucket}/t', endpoint: '${proxy.url}' }, levels: dt=*, complete: _SUCCESS, every: 200ms }`,
  );
  const start = (): ReturnType<TestProject['startClient']> => project.startClient(AWS_ENV);
  await put('t/dt=2017-04-26/_SUCCESS', 't/dt=2017-04-27/a');
  const first = start();
  await first.event('finished', ({ run_key: key }) => key === '2017-04-26');
  await put('t/dt=2017-04-28/_SUCCESS');
  first.kill('SIGKILL');
  await first.ended;
  const second = start();
  await second.event('finished', ({ run_key: key }) => key === '2017-04-28');
  proxy.fault = () => s3Error(403, 'AccessDenied', 'Access Denied');
  const { text } = await second.event('notice', ({ level }) => level === 'error');
  expect(text).toContain(`source orders: s3://${bucket}/t/ cannot be listed: ${proxy.url} denies the list`);
  proxy.fault = () => undefined;
  await second.event('notice', ({ text: said }) => said.includes('can be read again'));
  await put('t/dt=2017-04-27/_SUCCESS');
  await second.event('finished', ({ run_key: key }) => key === '2017-04-27');
  await put('t/dt=2017-04-26/_SUCCESS');
  await second.event('finished', ({ run_key: key }) => key === '2017-04-26');
  const events = await announced(project);
  expect(partitionsOf(events)).toEqual(['dt=2017-04-26', 'dt=2017-04-26', 'dt=2017-04-27', 'dt=2017-04-28']);
  expect(new Set(events).size).toBe(4);
  expect((await finishes(project)).every(({ isSuccess }) => isSuccess)).toBe(true);
  second.kill('SIGTERM');
  expect((await second.ended).exitCode).toBe(0);
  const { exitCode, stdout } = await project.hippo(['source', 'scan', 'orders', '--dry-run'], {
    env: AWS_ENV,
  });
  expect(`${exitCode}\n${stdout}`).toBe('0\norders: would announce 0 landings; 3 known\n');
  for (const said of [first, second])
    expect(JSON.stringify(said.events)).not.toContain(AWS_ENV.AWS_SECRET_ACCESS_KEY);
});
