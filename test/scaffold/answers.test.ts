import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { type RawAnswers } from '../../src/scaffold/answer.ts';
import { type Ask, type Prompt, collectAnswers } from '../../src/scaffold/collect.ts';
import { type Template, listTemplates } from '../../src/scaffold/template.ts';

const batchEtl = listTemplates().find(({ type }) => type === 'batch-etl')!;

async function refusal(given: RawAnswers): Promise<UserError> {
  const error = await collectAnswers(batchEtl, given, 'defaults').then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe('answers without a terminal', () => {
  it('takes defaults, each by the answers before it', async () => {
    const table = 'shop.sales';
    const daily = {
      table,
      every: 'day',
      partition: 'yyyymmdd',
      group_by: 'none',
      measure: 'none',
      schema: 'none',
      input: 'files',
      language: 'python',
    };
    expect((await collectAnswers(batchEtl, { table }, 'defaults')).raw).toEqual(daily);
    const monthly = (await collectAnswers(batchEtl, { table, every: 'month' }, 'defaults')).raw;
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
    [{ table: 'a.b', group_by: 'YYYYMMDD' }, '--group-by: YYYYMMDD is among --partition already'],
    [{ table: 'a.b', group_by: 'Carrier,carrier' }, '--group-by: carrier occurs twice'],
    [{ table: 'a.b', group_by: 'Rows' }, '--group-by: Rows is a column that the project makes itself'],
    [
      { table: 'a.b', partition: 'dt=%Y-%m-%d %H' },
      '--partition: "%Y-%m-%d %H" may hold letters, digits, "._:+-", and %Y, %q, %m, %G, %V, %d, %H, %M of the date',
    ],
    [{ table: 'a.b', colour: 'red' }, 'a batch-etl has no --colour'],
  ])('refuses %j', async (given, message) => {
    expect((await refusal(given)).message).toBe(message);
  });

  it('reads a column that is called like a part of the table', async () => {
    const { values } = await collectAnswers(
      batchEtl,
      { table: 'shop.sales', measure: 'sales,net price' },
      'defaults',
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
    const { raw } = await collectAnswers(batchEtl, { every: 'hour' }, { ask });
    expect(asked).toEqual([
      ['Which table does the job wait for', undefined],
      ['Which partition levels does the table have', 'yyyymmddhh'],
      ['By which columns does the job group', 'none'],
      ['Which numeric columns does the job average', 'none'],
      ['Which columns must the table have, of which types', 'none'],
      ['What does the job read', 'files'],
      ['In which language is the job', 'python'],
    ]);
    expect(raw).toMatchObject({ table: 'shop.sales', every: 'hour', partition: 'yyyymmddhh' });
  });

  it('gives the prompt the checks that flags have', async () => {
    const prompts: Prompt[] = [];
    const ask: Ask = (prompt) => {
      prompts.push(prompt);
      return Promise.resolve(prompt.suggested ?? 'shop.sales');
    };
    await collectAnswers(batchEtl, {}, { ask });
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

describe("the sample's answers", () => {
  it('are taken for what is not given, and are told', async () => {
    const { raw, taken } = await collectAnswers(batchEtl, { every: 'month' }, 'sample');
    expect(raw).toMatchObject({ table: 'nyc.flights', every: 'month', partition: 'yyyymm' });
    expect(taken).toEqual({
      '--table': 'nyc.flights',
      '--partition': 'yyyymm',
      '--group-by': 'carrier',
      '--measure': 'dep_delay',
      '--schema': 'carrier STRING, dep_delay DOUBLE',
      '--input': 'files',
      '--language': 'python',
    });
  });
});

/** A template whose later questions depend on earlier answers. */
const copy: Template = {
  ...batchEtl,
  type: 'copy',
  questions: [
    {
      type: 'choice',
      name: 'direction',
      ask: 'Which way?',
      help: 'The way of the data.',
      choices: [
        { value: 'in', title: 'into the lake' },
        { value: 'out', title: 'out of it' },
      ],
      default: 'in',
    },
    {
      type: 'column',
      name: 'watermark',
      ask: 'By which column are new rows found?',
      help: 'The column that grows with each new row; only with --direction in.',
      only_if: "direction == 'in'",
      default: 'id',
    },
    {
      type: 'choices',
      name: 'source',
      ask: 'Which sources?',
      help: 'The sources.',
      choices: [
        { value: 'folder', title: 'files' },
        { value: 's3', title: 'objects' },
      ],
      default: 'folder',
    },
    { type: 'topic', name: 'topic', ask: 'Topic?', help: 'The topic.', default: 'clicks' },
    { type: 'duration', name: 'grace', ask: 'Grace?', help: 'The grace.', default: '5m' },
    {
      type: 'text',
      name: 'bucket',
      ask: 'Bucket?',
      help: 'The bucket.',
      pattern: '[a-z]{3,}',
      form: 'three or more small letters',
      default: 'lake',
    },
  ],
};

describe('a question that depends on an earlier answer', () => {
  it('is not asked where it does not apply, and its answer is empty', async () => {
    const asked: string[] = [];
    const ask: Ask = ({ message, suggested }) => {
      asked.push(message);
      return Promise.resolve(suggested ?? '');
    };
    const { raw, values } = await collectAnswers(copy, { direction: 'out' }, { ask });
    expect(asked).not.toContain('By which column are new rows found?');
    expect(raw).not.toHaveProperty('watermark');
    expect(values['watermark']).toBe('');
    expect((await collectAnswers(copy, {}, 'defaults')).values['watermark']).toBe('id');
  });

  it('cannot be answered where it does not apply', async () => {
    const wrong = collectAnswers(copy, { direction: 'out', watermark: 'id' }, 'defaults');
    await expect(wrong).rejects.toMatchObject({
      message: '--watermark does not go with --direction out',
      why: 'The column that grows with each new row; only with --direction in.',
    });
  });
});

it.each<[RawAnswers, string]>([
  [{ source: 'folder,ftp' }, '--source: "ftp" is none of folder, s3'],
  [{ source: 's3,s3' }, '--source: s3 occurs twice'],
  [{ topic: 'a b' }, '--topic: "a b" is no name of a topic: letters, digits, ".", "_", "-", at most 249'],
  [{ grace: 'soon' }, '--grace: "soon" is not a duration such as 500ms, 30s, 5m, 2h or 1d'],
  [{ bucket: 'ab' }, '--bucket: "ab" is not three or more small letters'],
  [{ watermark: '--x' }, '--watermark: "--x" is no name of a column'],
])('refuses %j', async (given, message) => {
  await expect(collectAnswers(copy, given, 'defaults')).rejects.toThrow(message);
});

it('reads several of the choices as a list', async () => {
  const { values } = await collectAnswers(copy, { source: 's3, folder' }, 'defaults');
  expect(values['source']).toEqual(['s3', 'folder']);
});

it.each<[string, RawAnswers, string]>([
  ['stream-etl', { group_by: 'event_time' }, '--group-by: event_time is among --event-time already'],
  ['stream-etl', { measure: 'hour' }, '--measure: hour is a column that the project makes itself'],
  ['stream-etl', { partition: 'Kind=%Y-%m-%d,h=%H' }, '--partition: Kind is among --group-by already'],
  ['frontier', { source: 'http', port: '99999' }, '--port: "99999" is not a port from 1 to 65535'],
  ['frontier', { source: 'sql', watermark: 'amount' }, '--watermark: amount is a column that the project'],
])('a %s refuses %j', async (type, given, message) => {
  const template = listTemplates().find((each) => each.type === type)!;
  await expect(collectAnswers(template, given, 'sample')).rejects.toThrow(message);
});

it('takes a duration in any of its forms, and passes on the short one', async () => {
  const stream = listTemplates().find(({ type }) => type === 'stream-etl')!;
  const { raw, values } = await collectAnswers(stream, { lateness: '1.5 hours', grace: '90' }, 'sample');
  expect([raw['lateness'], values['lateness'], values['grace']]).toEqual(['1.5 hours', '1.5h', '90s']);
});

it('says of a partition only what its template asks for', async () => {
  const frontier = listTemplates().find(({ type }) => type === 'frontier')!;
  const given = { table: 'shop.orders', partition: 'dt=us' };
  await expect(collectAnswers(frontier, given, 'defaults')).rejects.toThrow(
    '--partition: any dt will do: write dt alone',
  );
});

it('refuses an answer that does not go with an earlier one, on a terminal too', async () => {
  const frontier = listTemplates().find(({ type }) => type === 'frontier')!;
  const given = { table: 'shop.orders', partition: 'dt,region', dialect: 'legacy' };
  const why = 'legacy events do not name their levels, so a table may have one level at most';
  await expect(collectAnswers(frontier, given, 'defaults')).rejects.toThrow(`--dialect: ${why}`);
  const problems: (string | undefined)[] = [];
  const ask: Ask = ({ choices, suggested, problemOf }) => {
    if (choices?.some(({ value }) => value === 'legacy'))
      problems.push(problemOf('legacy'), problemOf('pairs'));
    return Promise.resolve(suggested ?? '');
  };
  await collectAnswers(frontier, { table: 'shop.orders', partition: 'dt,region' }, { ask });
  expect(problems).toEqual([why, undefined]);
});
