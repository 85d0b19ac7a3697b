import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { compileProject } from '../../src/client/host/project.ts';
import { ConfigError } from '../../src/config/problems.ts';

/** @param text of the file of holidays; undefined: there is none */
async function load(name: string, text: string | undefined, more = ''): Promise<LoadedConfig> {
  const directory = await mkdtemp(join(tmpdir(), 'hippo-test-holidays-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeFile(
    join(directory, 'hippo.yaml'),
    [
      'calendar:',
      `  holidays: ${name}`,
      more,
      'jobs:',
      '  load:',
      '    every: business_day',
      '    needs: [{ table: a.a }]',
      '',
    ].join('\n'),
  );
  if (text !== undefined) await writeFile(join(directory, name), text);
  return loadConfig({ cwd: directory, env: {} });
}

async function problemsOf(name: string, text: string | undefined, more = ''): Promise<string[]> {
  const error: unknown = await load(name, text, more).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConfigError)) throw new Error('there is no problem', { cause: error });
  expect(error.exitCode).toBe(2);
  return error.problems.map(
    ({ place, message }) => `${place.file ?? ''}:${place.line ?? ''}:${place.column ?? ''} ${message}`,
  );
}

const calendarOf = (...events: string[][]): string =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//example//holidays//EN',
    ...events.flatMap((lines, index) => ['BEGIN:VEVENT', `UID:${index}`, ...lines, 'END:VEVENT']),
    'END:VCALENDAR',
    '',
  ].join('\r\n');

describe('a list of dates', () => {
  it('is read in order, each date once, with comments', async () => {
    const text = '# of 2017\n- 2017-12-25 # Christmas\n- "2017-04-14"\n- 2017-12-25\n';
    expect((await load('days.yaml', text)).holidays).toEqual(['2017-04-14', '2017-12-25']);
  });

  it('is relative to hippo.yaml, and part of the compiled calendar', async () => {
    const loaded = await load('days.yml', '- 2017-04-14\n- 2017-04-17\n');
    expect(loaded.config.calendar.holidays).toBe(join(loaded.directory, 'days.yml'));
    const { calendar } = (await compileProject(loaded)).definition;
    expect(calendar.at('business_day', Date.parse('2017-04-15')).key).toBe('2017-04-18');
  });

  it.each([
    ['- 2017-12-25\n- 2017-13-25\n', 'days.yaml:2:3 must be a date such as 2017-12-25'],
    ['- 2017-04-31\n', 'days.yaml:1:3 must be a date such as 2017-12-25'],
    ['-  25.12.2017\n', 'days.yaml:1:4 must be a date such as 2017-12-25'],
    ['- { date: 2017-12-25 }\n', 'days.yaml:1:3 must be a date such as 2017-12-25'],
    ['2017-12-25: Christmas\n', 'days.yaml:1:1 must be a list of dates, one a line, such as "- 2017-12-25"'],
    [
      '# none yet\n',
      'days.yaml:1:1 has no dates; it must be a list of dates, one a line, such as "- 2017-12-25"',
    ],
    ['', 'days.yaml:1:1 has no dates; it must be a list of dates, one a line, such as "- 2017-12-25"'],
    [
      '- [2017-12-25\n',
      'days.yaml:2:1 is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  ])('%j is refused', async (text, problem) => {
    expect(await problemsOf('days.yaml', text)).toEqual([problem]);
  });

  it('with several bad dates names them all', async () => {
    expect(await problemsOf('days.yaml', '- soon\n- 2017-12-25\n- later\n')).toEqual([
      'days.yaml:1:3 must be a date such as 2017-12-25',
      'days.yaml:3:3 must be a date such as 2017-12-25',
    ]);
  });

  it('that is not there is a problem of hippo.yaml', async () => {
    expect(await problemsOf('days.yaml', undefined)).toEqual([
      'hippo.yaml:2:13 cannot be read: there is no file days.yaml',
    ]);
  });

  it('that leaves no business day is refused', async () => {
    const fridays = Array.from({ length: 60 }, (_, week) =>
      new Date(Date.parse('2017-01-06') + week * 7 * 86_400_000).toISOString().slice(0, 10),
    );
    const text = fridays.map((date) => `- ${date}\n`).join('');
    expect(await problemsOf('days.yaml', text, '  business_days: [fri]')).toEqual([
      'hippo.yaml:2:13 leaves no business day for more than a year',
    ]);
  });
});

describe('an iCalendar file', () => {
  it.each([
    ['a day', ['DTSTART;VALUE=DATE:20171225'], ['2017-12-25']],
    [
      'several days',
      ['DTSTART;VALUE=DATE:20171225', 'DTEND;VALUE=DATE:20171227'],
      ['2017-12-25', '2017-12-26'],
    ],
    ['a length', ['DTSTART;VALUE=DATE:20171230', 'DURATION:P3D'], ['2017-12-30', '2017-12-31', '2018-01-01']],
    [
      'a recurrence over two days, with an exception and one more',
      [
        'DTSTART;VALUE=DATE:20161225',
        'DTEND;VALUE=DATE:20161227',
        'RRULE:FREQ=YEARLY;COUNT=3',
        'EXDATE;VALUE=DATE:20171225',
        'RDATE;VALUE=DATE:20170609',
      ],
      ['2016-12-25', '2016-12-26', '2017-06-09', '2017-06-10', '2018-12-25', '2018-12-26'],
    ],
    [
      'a weekday of a month',
      ['DTSTART;VALUE=DATE:20171123', 'RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20191201'],
      ['2017-11-23', '2018-11-22', '2019-11-28'],
    ],
    ['whole days written as times', ['DTSTART:20171225T000000', 'DTEND:20171226T000000'], ['2017-12-25']],
    ['a whole day among parts of days', ['DTSTART:20171224T140000', 'DTEND:20171226T120000'], ['2017-12-25']],
  ])('with %s', async (_, lines, dates) => {
    expect((await load('days.ics', calendarOf(lines))).holidays).toEqual(dates);
  });

  it('with a recurrence without an end has it until 2100', async () => {
    const text = calendarOf(['DTSTART;VALUE=DATE:20171225', 'RRULE:FREQ=YEARLY']);
    const { holidays } = await load('days.ics', text);
    expect([holidays.length, holidays[0], holidays.at(-1)]).toEqual([84, '2017-12-25', '2100-12-25']);
  });

  it('leaves out events of hours and those that are cancelled, and moves those that were moved', async () => {
    const text = calendarOf(
      ['DTSTART:20171220T100000', 'DTEND:20171220T110000'],
      ['DTSTART;VALUE=DATE:20171221', 'STATUS:CANCELLED'],
      ['DTSTART;VALUE=DATE:20171222', 'RRULE:FREQ=WEEKLY;COUNT=2'],
    ).replace(
      'END:VCALENDAR',
      [
        'BEGIN:VEVENT',
        'UID:2',
        'RECURRENCE-ID;VALUE=DATE:20171229',
        'DTSTART;VALUE=DATE:20171228',
        'END:VEVENT',
        'END:VCALENDAR',
      ].join('\r\n'),
    );
    expect((await load('days.ics', text)).holidays).toEqual(['2017-12-22', '2017-12-28']);
  });

  it.each([
    ['', 'days.ics:1:1 is empty'],
    ['hello', 'days.ics:1:1 is not iCalendar: invalid line (no token ";" or ":")'],
    [
      calendarOf(['DTSTART;VALUE=DATE:20171332']),
      'days.ics:6:20 must be a date such as 2017-12-25 (20171225)',
    ],
    [
      calendarOf(['DTSTART;VALUE=DATE:20170430', 'DTEND;VALUE=DATE:20170431']),
      'days.ics:7:18 must be a date such as 2017-12-25 (20171225)',
    ],
    [calendarOf(['SUMMARY:x']), 'days.ics:4:1 is an event without DTSTART'],
    [
      calendarOf(['DTSTART:20171220T100000', 'DTEND:20171220T110000']),
      'days.ics:1:1 has no event of whole days',
    ],
    [calendarOf(), 'days.ics:1:1 has no event of whole days'],
    [
      calendarOf(['DTSTART;VALUE=DATE:20171225', 'RRULE:FREQ=SECONDLY']),
      'days.ics:4:1 is an event that recurs several times a day',
    ],
    [
      calendarOf(['DTSTART;VALUE=DATE:20171225']).replace('END:VEVENT\r\n', ''),
      'days.ics:1:1 is not iCalendar: invalid ical body. component began but did not end',
    ],
  ])('%j is refused', async (text, problem) => {
    expect(await problemsOf('days.ics', text)).toEqual([problem]);
  });

  it('names none of its text where it is another file', async () => {
    const [problem] = await problemsOf('days.ics', 'password=geheim\n');
    expect(problem).not.toContain('geheim');
  });
});
