import { parse } from 'yaml';
import { type Config, parseConfig } from '../../src/config/schema.ts';

/** A configuration as hippo.yaml writes it, for tests. */
export function config(yaml = ''): Config {
  return parseConfig(parse(yaml) ?? {});
}

/** A job that needs a table by month, by day with a region, and by hour. */
export const NEEDS = `
jobs:
  load:
    every: month
    needs: [{ table: btd.party, partition: { yyyymm: "{{ window | minus: '1 month' | date: '%Y%m' }}" } }]
  clean:
    every: day
    needs:
      - { table: btd.sales, partition: { dt: "{{ window | date: '%Y-%m-%d' }}", region: us } }
      - { any_of: [{ table: btd.rates, partition: { day: "{{ window }}" } }, { job: other/rates }] }
  collect:
    every: hour
    needs:
      - each: { region: [us, eu] }
        table: btd.clicks
        partition: { hour: "{{ window | date: '%Y%m%d%H' }}", region: "{{ region }}" }
  react:
    needs: [{ table: btd.any }]
`;
