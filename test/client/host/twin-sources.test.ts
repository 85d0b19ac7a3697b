import { expect, it } from 'vitest';
import { compileSources } from '../../../src/client/host/sources.ts';
import { describeTwins } from '../../../src/client/host/twin-sources.ts';
import type { CompileProblem } from '../../../src/client/machine/index.ts';
import { parseConfig } from '../../../src/config/schema.ts';

function compile(sources: Readonly<Record<string, object>>) {
  const config = parseConfig({ sources });
  const problems: CompileProblem[] = [];
  const watched = compileSources({ config, directory: '/project' }, problems);
  return { warnings: describeTwins(watched, config.sources), problems };
}

it('two sources of one place and one table are named: each landing would get two events', () => {
  const { warnings } = compile({
    a: { table: 'shop.orders', folder: 'landing', levels: 'dt=*' },
    b: { table: 'shop.Orders', folder: './landing/', levels: 'dt=*' },
    'other-table': { table: 'shop.calls', folder: 'landing', levels: 'dt=*' },
    'other-folder': { table: 'shop.orders', folder: 'landing2', levels: 'dt=*' },
    'other-levels': { table: 'shop.orders', folder: 'landing', levels: 'region=*' },
  });
  expect(warnings).toEqual([
    'the sources a and b watch one place, /project/landing, for shop.orders: each landing gets 2 events',
  ]);
});

it.each([
  ['~/landing', 'a path, such as ${HOME}/landing'],
  ['~', 'a path, such as ${HOME}'],
  ['~ann/landing', 'a path'],
  [
    'hdfs://namenode:8020/landing',
    'a path on this machine, or on a mount; S3 and HDFS have the keys s3 and hdfs',
  ],
  ['s3://bucket/landing', 'a path on this machine, or on a mount; S3 and HDFS have the keys s3 and hdfs'],
  ['file:///landing', 'a path on this machine, or on a mount; S3 and HDFS have the keys s3 and hdfs'],
])('refuses the folder %s', (folder, allowed) => {
  const { problems } = compile({ s: { table: 'a.b', folder } });
  expect(problems).toMatchObject([{ path: ['sources', 's', 'folder'], allowed }]);
});

it.each(['./~/landing', 'a:b', '/data/a:/b', 'C'])('takes the folder %s', (folder) => {
  expect(compile({ s: { table: 'a.b', folder } }).problems).toEqual([]);
});
