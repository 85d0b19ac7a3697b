import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { type RawAnswers } from '../../src/scaffold/answer.ts';
import { type Ask, type Prompt, collectAnswers } from '../../src/scaffold/collect.ts';
import { listTemplates } from '../../src/scaffold/template.ts';

const batchEtl = listTemplates().find(({ type }) => type === 'batch-etl')!;

async function refusal(given: RawAnswers): Promise<UserError> {
  const error = await collectAnswers(batchEtl, given, null).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe('answers without a terminal', () => {
  it('takes defaults, each by the answers before it', async () => {
    const table = 'shop.sales';
    const daily = { table, every: 'day', partition: 'yyyymmdd', group_by: 'none', measure: 'none' };
    expect((await collectAnswers(batchEtl, { table }, null)).raw).toEqual(daily);
    const monthly = (await collectAnswers(batchEtl, { table, every: 'month' }, null)).raw;
    expect(monthly['partition']).toBe('yyyymm');
  });

  it('names the flag of what is missing, why it is needed, and a command to type', async () => {
    const error = await refusal({});
    expect(error.message).toBe('a batch-etl needs --table');
    expect(error.why).toBe('The table that the job waits for, as db.table.');
    expect(error.next[0]).toBe('hippo new batch-etl NAME --table nyc.flights');
  });

  it.each<[RawAnswers, string]>([
    [{ table: 'sales' }, '--table: "sales" has no database: write db.table'],
    [{ table: 'a.b.c' }, '--table: "a.b.c" is not db.table: letters, digits, "_", "-", and one dot'],
    [{ table: '-x.y' }, '--table: "-x.y" is not db.table: letters, digits, "_", "-", and one dot'],
    [{ table: '../x.y' }, '--table: "../x.y" is not db.table: letters, digits, "_", "-", and one dot'],
    [{ table: '' }, '--table: it is empty'],
    [
      { table: 'a.b', every: 'weekly' },
      '--every: "weekly" is not one of event, hour, day, business_day, week, month, quarter, year, or a duration that divides a day, such as 15m or 6h. Did you mean week?',
    ],
    [
      { table: 'a.b', partition: 'dt' },
      "--partition: which dt? Write dt=us for always that one, dt=%Y-%m-%d for the window's date",
    ],
    [{ table: 'a.b', group_by: '--x' }, '--group-by: "--x" is no name of a column'],
    [{ table: 'a.b', group_by: 'c,c' }, '--group-by: c occurs twice'],
    [{ table: 'a.b', group_by: 'c', measure: 'c' }, '--measure: c is among --group-by already'],
    [{ table: 'a.b', group_by: 'yyyymmdd' }, '--group-by: yyyymmdd is among --partition already'],
    [{ table: 'a.b', colour: 'red' }, 'a batch-etl has no --colour'],
  ])('refuses %j', async (given, message) => {
    expect((await refusal(given)).message).toBe(message);
  });

  it('reads a column that is called like a part of the table', async () => {
    const { values } = await collectAnswers(
      batchEtl,
      { table: 'shop.sales', measure: 'sales,net price' },
      null,
    );
    expect(values['measure']).toEqual(['sales', 'net price']);
  });
});

describe('answers of a person', () => {
  it('asks for what the flags leave open, in order, with defaults by the answers so far', async () => {
    const asked: [string, string | undefined][] = [];
    const ask: Ask = ({ message, suggested }) => {
      asked.push([message.split('?')[0]!, suggested]);
      return Promise.resolve(suggested === 'none' ? 'none' : (suggested ?? 'shop.sales'));
    };
    const { raw } = await collectAnswers(batchEtl, { every: 'hour' }, ask);
    expect(asked).toEqual([
      ['Which table does the job wait for', undefined],
      ['Which partition levels does the table have', 'yyyymmddhh'],
      ['By which columns does the job group', 'none'],
      ['Which numeric columns does the job average', 'none'],
    ]);
    expect(raw).toMatchObject({ table: 'shop.sales', every: 'hour', partition: 'yyyymmddhh' });
  });

  it('gives the prompt the checks that flags have', async () => {
    const prompts: Prompt[] = [];
    const ask: Ask = (prompt) => {
      prompts.push(prompt);
      return Promise.resolve(prompt.suggested ?? 'shop.sales');
    };
    await collectAnswers(batchEtl, {}, ask);
    expect(prompts[0]?.problemOf('sales')).toBe('"sales" has no database: write db.table');
    expect(prompts[0]?.problemOf('shop.sales')).toBeUndefined();
    expect(prompts[1]?.choices?.map(({ value }) => value)).toEqual([
      'event',
      '15m',
      'hour',
      'day',
      'business_day',
      'week',
      'month',
      'quarter',
      'year',
    ]);
    expect(prompts[2]?.problemOf('yyyymm')).toMatch(/does not tell the day/);
  });
});
