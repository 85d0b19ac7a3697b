import { expect, it } from 'vitest';
import { describeUnmatched } from '../../../src/client/host/unmatched-needs.ts';
import { parseConfig } from '../../../src/config/schema.ts';

const SOURCES = {
  orders: { table: 'shop.orders', folder: 'landing', levels: 'daily/dt=*' },
  calls: {
    table: 'crm.calls',
    sql: { url: 'postgres://db/crm', query: 'select 1', levels: ['dt', 'region'] },
  },
};

function warnings(
  jobs: Readonly<Record<string, object>>,
  services: Readonly<Record<string, object>> = {},
): string[] {
  return describeUnmatched(parseConfig({ name: 'sales', sources: SOURCES, jobs, services }), 'sales');
}

const day = (need: object): object => ({ every: 'day', needs: [need] });

it('names a need whose levels are not those of the source or the job that announces its table', () => {
  expect(
    warnings({
      load: day({ table: 'Shop.Orders', partition: { yyyymmdd: '{{ window }}' } }),
      sum: {
        ...day({ any_of: [{ table: 'crm.calls', partition: { dt: '{{ window }}' } }] }),
        produces: [{ table: 'dm.sum', partition: { dt: '{{ window }}' } }],
      },
      report: day({ table: 'dm.sum' }),
    }),
  ).toEqual([
    'load needs Shop.Orders by yyyymmdd, and the source orders announces it by dt: none of its events satisfies the need',
    'sum needs crm.calls by dt, and the source calls announces it by dt/region: none of its events satisfies the need',
    'report needs dm.sum unpartitioned, and the job sum announces it by dt: none of its events satisfies the need',
  ]);
});

it('says nothing of those that fit, in any order and case, and of tables that others announce', () => {
  expect(
    warnings({
      load: day({ table: 'shop.orders', partition: { DT: '{{ window }}' } }),
      sum: day({
        each: { region: ['us'] },
        table: 'crm.calls',
        partition: { region: '{{ region }}', dt: '{{ window }}' },
      }),
      each: { needs: [{ table: 'crm.calls', partition: { region: 'us' } }] },
      any: { needs: [{ table: 'crm.calls' }] },
      other: day({ table: 'a.b', partition: { x: '{{ window }}' } }),
    }),
  ).toEqual([]);
});

it('names a need, and a reload, of a job that this hippo does not have', () => {
  const jobs = {
    load: day({ table: 'a.b' }),
    report: day({ job: 'sales/laod' }),
    other: day({ job: 'hr/x' }),
  };
  const services = {
    api: { run: 'true', reload_on: [{ job: 'sales/train' }], reload: { signal: 'SIGHUP' } },
  };
  expect(warnings(jobs, services)).toEqual([
    'report needs sales/laod, and this hippo has no such job. Did you mean load?',
    'api needs sales/train, and this hippo has no such job',
  ]);
});
