import { describe, expect, test } from 'vitest';
import { parsePartitionPath } from '../../src/messages/index.ts';
import { checkPartition } from '../../src/trigger/check.ts';
import { tableNeeds } from '../../src/trigger/needs.ts';
import { NEEDS, config } from './config.ts';

const NOW = Date.UTC(2026, 10, 28, 9);

function check(table: string, path: string): void {
  checkPartition(table, parsePartitionPath(path) ?? [], tableNeeds(table, config(NEEDS)), NOW);
}

describe('a partition of a table that a job needs', () => {
  test.each([
    ['btd.party', 'yyyymm=201704'],
    ['btd.party', 'YYYYMM=201704'],
    ['btd.sales', 'dt=2017-04-28/region=us'],
    // No job needs it, but it is written as the table's partitions are.
    ['btd.sales', 'region=eu/dt=2017-04-28'],
    ['btd.rates', 'day=2017-04-28'],
    ['btd.clicks', 'hour=2017042805/region=eu'],
    // Nothing is known of how these are written.
    ['btd.any', 'whatever=1'],
    ['other.table', 'whatever=1'],
  ])('%s %s is written as it needs it', (table, path) => {
    expect(() => check(table, path)).not.toThrow();
  });

  test.each([
    [
      'btd.party',
      'yyyymm=2017-04',
      '--partition yyyymm=2017-04 does not parse',
      'The job load needs btd.party with yyyymm written as %Y%m, such as 201704.',
      'hippo trigger --table btd.party --partition yyyymm=201704',
    ],
    [
      'btd.party',
      'yyyymm=201713',
      '--partition yyyymm=201713 does not parse',
      'The job load needs btd.party with yyyymm written as %Y%m, such as 202611.',
      'hippo trigger --table btd.party --partition yyyymm=202611',
    ],
    [
      'btd.sales',
      'dt=20170301/region=us',
      '--partition dt=20170301 does not parse',
      'The job clean needs btd.sales with dt written as %Y-%m-%d, such as 2017-03-01.',
      'hippo trigger --table btd.sales --partition dt=2017-03-01 --partition region=us',
    ],
    [
      'btd.party',
      'yyymm=201704',
      'btd.party has no partition yyymm=201704',
      'Did you mean yyyymm? The job load needs it by yyyymm=%Y%m.',
      'hippo trigger --table btd.party --partition yyyymm=201704',
    ],
    [
      'btd.sales',
      'dt=2017-03-01',
      'btd.sales has no partition dt=2017-03-01',
      'The job clean needs it by dt=%Y-%m-%d/region=us.',
      'hippo trigger --table btd.sales --partition dt=2017-03-01 --partition region=us',
    ],
    [
      'btd.party',
      '',
      'btd.party has a partition: which one has landed?',
      'The job load needs it by yyyymm=%Y%m.',
      'hippo trigger --table btd.party --partition yyyymm=202611',
    ],
    // A date under another name.
    [
      'btd.party',
      'dt=2017-03-15',
      'btd.party has no partition dt=2017-03-15',
      'The job load needs it by yyyymm=%Y%m.',
      'hippo trigger --table btd.party --partition yyyymm=201703',
    ],
    // A year does not say which month.
    [
      'btd.party',
      'year=2017',
      'btd.party has no partition year=2017',
      'The job load needs it by yyyymm=%Y%m.',
      'hippo trigger --table btd.party --partition yyyymm=202611',
    ],
    [
      'btd.sales',
      'region=eu',
      'btd.sales has no partition region=eu',
      'The job clean needs it by dt=%Y-%m-%d/region=us.',
      'hippo trigger --table btd.sales --partition dt=2026-11-28 --partition region=eu',
    ],
  ])('%s %s is not, and is refused with what is allowed', (table, path, message, why, next) => {
    expect(() => check(table, path)).toThrow(
      expect.objectContaining({ message, why, next: [next] }) as Error,
    );
  });
});
