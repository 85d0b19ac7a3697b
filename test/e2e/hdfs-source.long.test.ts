/** A source that watches a real HDFS of two NameNodes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HdfsOptions, HdfsScanner, parseLevels } from '../../src/sources/index.ts';
import { announced, partitionsOf } from '../support/announced.ts';
import { FaultyProxy } from '../support/faults.ts';
import { Hdfs } from '../support/hdfs.ts';
import { test } from '../support/project.ts';
import { idsOf, scanOnce } from '../support/scan.ts';

let hdfs: Hdfs;

beforeAll(async () => {
  hdfs = await Hdfs.start();
});

afterAll(() => hdfs.stop());

type Watched = Partial<Omit<HdfsOptions, 'levels'>> & { path: string; levels?: string };

function scanner({ levels = 'dt=*', ...options }: Watched): HdfsScanner {
  const parsed = parseLevels(levels);
  if (!parsed.ok) throw new Error(parsed.message);
  return new HdfsScanner({
    addresses: hdfs.addresses,
    user: 'etl',
    timeout: 10_000,
    marker: '_SUCCESS',
    ...options,
    levels: parsed.levels,
  });
}

describe('a folder of HDFS', () => {
  it('lists the partitions that have their marker, page by page, with all characters of a name', async () => {
    const values = ['a b', 'a+b', '50%25', '10%3A00', '日本', 'x;y=1&z', '?q#f', "'"];
    for (const value of values) await hdfs.write(`/odd/dt=${value}/_SUCCESS`);
    await hdfs.write('/odd/dt=half/part-0');
    await hdfs.write('/odd/README');
    await hdfs.write('/odd/_temporary/0/x');
    const { landings, skips } = await scanOnce(scanner({ path: '/odd' }));
    expect(landings.map(({ partition: [level] }) => level?.value).toSorted()).toEqual(
      ['a b', 'a+b', '50%', '10:00', '日本', 'x;y=1&z', '?q#f', "'"].toSorted(),
    );
    expect(Math.abs(Date.now() - (landings[0]?.landedAt ?? 0))).toBeLessThan(120_000);
    expect(skips).toEqual([
      'hdfs:/odd/README: it is not a folder',
      'hdfs:/odd/dt=half: it has no _SUCCESS …',
    ]);
    expect(idsOf(await scanOnce(scanner({ path: '/odd/dt=日本/', levels: '' })))).toEqual(['']);
    await hdfs.write('/odd/dt=日本/_SUCCESS');
    const again = await scanOnce(scanner({ path: '/odd' }));
    const isOther = again.landings.filter(
      ({ id, found }) => found !== landings.find((before) => before.id === id)?.found,
    );
    expect(isOther.map(({ id }) => id)).toEqual(['dt=日本']);
  });

  it('tells what is written again from what is not, and waits for files that writers rename', async () => {
    await hdfs.write('/again/dt=1/deep/a', '1');
    await hdfs.write('/again/dt=2/b._COPYING_', '1');
    const whole = () => scanOnce(scanner({ path: '/again', marker: null }));
    const first = await whole();
    expect(idsOf(first)).toEqual(['dt=1']);
    expect(first.skips).toEqual(['hdfs:/again/dt=2: hdfs:/again/dt=2/b._COPYING_ is being written …']);
    expect((await whole()).landings).toEqual(first.landings);
    await hdfs.write('/again/dt=1/deep/a', '12');
    await hdfs.rename('/again/dt=2/b._COPYING_', '/again/dt=2/b');
    const second = await whole();
    expect(idsOf(second)).toEqual(['dt=1', 'dt=2']);
    expect(second.landings[0]?.found).not.toBe(first.landings[0]?.found);
    await hdfs.remove('/again/dt=1');
    expect(idsOf(await whole())).toEqual(['dt=2']);
  });

  it('is asked of the active NameNode, which is remembered', async () => {
    await hdfs.write('/active/dt=1/_SUCCESS');
    // A marker that was made just now is looked at twice, which takes one more request.
    await scanOnce(scanner({ path: '/active' }));
    const [active = '', standby = ''] = hdfs.addresses;
    await using before = await FaultyProxy.start(standby);
    await using behind = await FaultyProxy.start(active);
    const watched = scanner({ path: '/active', addresses: [before.url, behind.url] });
    expect(idsOf(await scanOnce(watched))).toEqual(['dt=1']);
    expect(idsOf(await scanOnce(watched))).toEqual(['dt=1']);
    expect(before.requests).toHaveLength(1);
    expect(behind.requests).toHaveLength(6);
    // The other one is asked, and says that it is a standby.
    behind.fault = () => 'cut';
    const why = async (addresses: string[], timeout = 10_000): Promise<unknown> =>
      ((await scanOnce(scanner({ path: '/active', addresses, timeout }))).error as { why?: unknown }).why;
    expect(await why([before.url, behind.url])).toMatch(
      /^no NameNode answers as the active one: \S+: StandbyException: Operation category READ is not supported in state standby.*; \S+: other side closed$/,
    );
    behind.fault = () => 'hang';
    expect(await why([behind.url], 50)).toBe(
      `no NameNode answers as the active one: ${behind.url}: no answer within 50 ms`,
    );
  });

  it('that is not there, or may not be read, is away; of what is in it, the rest is listed', async () => {
    await hdfs.makeFolder('/closed', '700');
    await hdfs.write('/partly/dt=1/region=a/_SUCCESS');
    await hdfs.makeFolder('/partly/dt=2', '700');
    await hdfs.write('/file');
    expect((await scanOnce(scanner({ path: '/none' }))).error).toMatchObject({
      message: 'hdfs:/none is away',
      why: 'there is no such folder in HDFS',
    });
    expect((await scanOnce(scanner({ path: '/file' }))).error).toMatchObject({ why: 'it is not a folder' });
    expect((await scanOnce(scanner({ path: '/closed' }))).error).toMatchObject({
      message: 'hdfs:/closed is away',
      why: expect.stringMatching(
        /^\S+: status 403 AccessControlException: Permission denied: user=etl, access=READ_EXECUTE, .* \(asked as etl\)$/,
      ) as string,
    });
    const partly = await scanOnce(scanner({ path: '/partly', levels: 'dt=*/region=*' }));
    expect(idsOf(partly)).toEqual(['dt=1/region=a']);
    expect(partly.error).toMatchObject({ message: 'hdfs:/partly/dt=2 cannot be read' });
  });

  it('says so where Kerberos is wanted, and where it is no WebHDFS at all', async () => {
    await using proxy = await FaultyProxy.start(hdfs.addresses[0] ?? '');
    const watched = scanner({ path: '/', addresses: [proxy.url] });
    const why = async (): Promise<unknown> => ((await scanOnce(watched)).error as { why?: unknown }).why;
    proxy.fault = () => ({
      status: 401,
      headers: { 'www-authenticate': 'Negotiate', 'content-type': 'text/html' },
      body: '<html><body><h2>HTTP ERROR 401 Authentication required</h2></body></html>',
    });
    expect(await why()).toBe(
      `${proxy.url}: status 401: it asks for Kerberos, which hippo does not speak (asked as etl)`,
    );
    proxy.fault = () => undefined;
    proxy.rewrite = () => '/dfshealth.html';
    expect(await why()).toMatch(/^\S+: status \d+, and not what WebHDFS answers/);
  });
});

const JOBS = `load:
  every: day
  needs: [{ table: shop.orders, partition: { dt: '{{ window }}' } }]
  run: ./job.sh`;

test('an HDFS source announces each landing once, over kill -9 and a failover of the NameNodes', async ({
  makeProject,
}) => {
  const project = await makeProject(
    JOBS,
    'exit 0',
    `client: { session_timeout: 6s }
sources:
  orders:
    table: shop.orders
    hdfs: { path: /orders, namenodes: [${hdfs.addresses.toReversed().join(', ')}], user: etl }
    levels: dt=*
    complete: _SUCCESS
    every: 200ms`,
  );
  await hdfs.write('/orders/dt=2017-04-26/_SUCCESS');
  await hdfs.write('/orders/dt=2017-04-27/part-0', 'half');
  const first = project.startClient();
  await first.event('finished', ({ run_key: key }) => key === '2017-04-26');
  await hdfs.write('/orders/dt=2017-04-28/_SUCCESS');
  first.kill('SIGKILL');
  await first.ended;
  const second = project.startClient();
  await second.event('finished', ({ run_key: key }) => key === '2017-04-28');
  await hdfs.stopNameNode(1);
  const { text } = await second.event('notice', ({ level }) => level === 'error');
  expect(text).toContain('source orders: hdfs:/orders is away: no NameNode answers as the active one: ');
  await hdfs.activate(2);
  await second.event('notice', ({ text: said }) => said.includes('can be read again'));
  await hdfs.write('/orders/dt=2017-04-27/_SUCCESS');
  await second.event('finished', ({ run_key: key }) => key === '2017-04-27');
  await hdfs.write('/orders/dt=2017-04-26/_SUCCESS');
  await second.event('finished', ({ run_key: key }) => key === '2017-04-26');
  const events = await announced(project);
  expect(partitionsOf(events)).toEqual(['dt=2017-04-26', 'dt=2017-04-26', 'dt=2017-04-27', 'dt=2017-04-28']);
  expect(new Set(events).size).toBe(4);
  const { exitCode, stdout } = await project.hippo(['source', 'scan', 'orders', '--dry-run']);
  expect(`${exitCode}\n${stdout}`).toBe('0\norders: would announce 0 landings; 3 known\n');
  second.kill('SIGTERM');
  expect((await second.ended).exitCode).toBe(0);
});
