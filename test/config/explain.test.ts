import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { explain } from '../../src/config/explain.ts';
import { formatPath } from '../../src/config/path.ts';
import { fileSchema } from '../../src/config/schema.ts';
import { validate } from '../../src/config/validate.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';

function problems(yaml: string): string[] {
  return explain(fileSchema, parse(yaml) as Json).map(
    ({ path, message }) => `${formatPath(path)} ${message}`,
  );
}

const load = (job: string): string => `jobs: { load: { needs: [{ table: a.b }], ${job} } }`;
const need = (text: string): string => `jobs: { load: { needs: [${text}] } }`;

const EVERY =
  'one of event, hour, day, business_day, week, month, quarter, year, or a duration that divides a day, such as 15m or 6h';

describe('what is wrong with a hippo.yaml', () => {
  it.each([
    // The kind of a value.
    ['name: 5', 'name must be text'],
    ['kafka: 5', 'kafka must be a mapping'],
    ['kafka: []', 'kafka must be a mapping'],
    ['kafka: { brokers: 5 }', 'kafka.brokers must be a list or text'],
    ['kafka: { tls: "yes" }', 'kafka.tls must be true or false or a mapping'],
    ['client: { http: true }', 'client.http must be false or a mapping'],
    ['client: { http: { host: x } }', 'client.http.port is missing; it must be a number'],
    ['trigger: { partition: { a: [1] } }', 'trigger.partition.a must be text or a number or true or false'],
    ['profiles: { prod: { kafka: 5 } }', 'profiles.prod.kafka must be a mapping'],
    // A list is no mapping, although its indexes could be keys.
    ['jobs: [{ needs: [{ table: a.b }] }]', 'jobs must be a mapping'],
    [load('env: [1]'), 'jobs.load.env must be a mapping'],
    // Its form.
    ['kafka: { brokers: "a:1, b" }', 'kafka.brokers[1] must be host:port, with a port from 1 to 65535'],
    [
      'kafka: { connect_timeout: soon }',
      'kafka.connect_timeout must be a duration such as 500ms, 30s, 5m, 2h or 1d',
    ],
    [
      'client: { keep: 2M }',
      'client.keep must be a duration such as 500ms, 30s, 5m, 2h or 1d: write 2m (minutes) or 60d',
    ],
    [
      'calendar: { timezone: Asia/Taipeh }',
      'calendar.timezone must be an IANA time zone such as Asia/Taipei. Did you mean Asia/Taipei or Asia/Thimphu?',
    ],
    ['calendar: { timezone: Mars/Base }', 'calendar.timezone must be an IANA time zone such as Asia/Taipei'],
    ['calendar: { day_starts: "25:00" }', 'calendar.day_starts must be a time of day such as "22:00"'],
    ['client: { http: { port: 70000 } }', 'client.http.port must be at most 65535'],
    [load('concurrency: 0'), 'jobs.load.concurrency must be at least 1'],
    [load('concurrency: 1.5'), 'jobs.load.concurrency must be a whole number'],
    [load('run: ""'), 'jobs.load.run must not be empty'],
    [load('run: []'), 'jobs.load.run must have at least 1 entry'],
    [
      'jobs: { "a b": { needs: [{ table: a.b }] } }',
      'jobs["a b"] is no name: must be letters, digits, ".", "-" and "_", not beginning with "-" or ".", at most 100',
    ],
    [
      'jobs: { constructor: { needs: [{ table: a.b }] } }',
      'jobs.constructor cannot be used as a name: it is reserved',
    ],
    // One of several values.
    [load('every: dayly'), `jobs.load.every must be ${EVERY}. Did you mean day?`],
    [load('every: 7h'), `jobs.load.every must be ${EVERY}: write 6h or 8h`],
    [
      load('every: [day]'),
      `jobs.load.every must be one of event, hour, day, business_day, week, month, quarter, year or text`,
    ],
    [
      'calendar: { week_starts: mon }',
      'calendar.week_starts must be one of monday, sunday. Did you mean monday?',
    ],
    ['calendar: { business_days: [] }', 'calendar.business_days must have at least 1 entry'],
    [
      'calendar: { business_days: [monday, fri] }',
      'calendar.business_days[0] must be one of mon, tue, wed, thu, fri, sat, sun. Did you mean mon?',
    ],
    [
      'calendar: { holidays: days.txt }',
      'calendar.holidays must name a file .yaml or .yml (a list of dates), or .ics (iCalendar)',
    ],
    ['client: { on_stop: halt }', 'client.on_stop must be one of kill, detach'],
    // Keys.
    [
      'kafka: { tls: { ca_fil: x } }',
      'kafka.tls.ca_fil is no key here. Did you mean ca_file? (allowed: ca_file, cert_file, key_file, key_passphrase, server_name)',
    ],
    [
      'jobs: { load: { need: [{ table: a.b }], x: 1 } }',
      'jobs.load.need is no key here. Did you mean needs? (allowed: every, needs, at, catch_up, run, args, env, produces, timeout, deadline, expected, give_up, retries, concurrency, order, on_reland, while_paused, result, keep_result)',
      'jobs.load.x is no key here; allowed: every, needs, at, catch_up, run, args, env, produces, timeout, deadline, expected, give_up, retries, concurrency, order, on_reland, while_paused, result, keep_result',
    ],
    // Which of the alternatives was meant.
    [need('{}'), 'jobs.load.needs[0].table is missing; it must be text'],
    [need('{ table: ab }'), 'jobs.load.needs[0].table must be db.table'],
    [need('{ job: load }'), 'jobs.load.needs[0].job must be hippo/job'],
    [need('{ any_of: [{ table: x }] }'), 'jobs.load.needs[0].any_of[0].table must be db.table'],
    [need('{ at_least: 1 }'), 'jobs.load.needs[0].of is missing; it must be a list'],
    [
      need('{ table: a.b, key: x }'),
      'jobs.load.needs[0].key does not go with the keys beside it; it goes with job, when',
    ],
    [
      need('{ table: a.b, partitoin: { d: 1 } }'),
      'jobs.load.needs[0].partitoin is no key here. Did you mean partition? (allowed: table, partition, when, job, key, topic, where, any_of, at_least, of, each)',
    ],
    // Which one key says.
    [
      need('{ any_of: [{}] }'),
      'jobs.load.needs[0].any_of[0] needs exactly one of the keys table, job, topic',
    ],
    [
      need('{ any_of: [{ table: a.b, job: c/d }] }'),
      'jobs.load.needs[0].any_of[0].job does not go with table; exactly one is allowed of table, job, topic',
    ],
    [
      need('{ any_of: [{ table: a.b, key: x }] }'),
      'jobs.load.needs[0].any_of[0].key goes with job, not with table; allowed beside table: partition, when',
    ],
    [
      need('{ any_of: [{ table: a.b, partitoin: { d: 1 } }] }'),
      'jobs.load.needs[0].any_of[0].partitoin is no key here. Did you mean partition? (allowed beside table: partition, when)',
    ],
    [
      need('{ any_of: [{ jop: a/b }] }'),
      'jobs.load.needs[0].any_of[0].jop is no key here. Did you mean job? (allowed: job, key, when, table, partition, topic, where)',
    ],
    [
      'sources: { a: { table: a.b, folder: x, mountd: true } }',
      'sources.a.mountd is no key here. Did you mean mounted? (allowed beside folder: table, method, dialect, mounted, levels, complete, settle, every, start_from)',
    ],
    [
      'sources: { a: { table: a.b, sql: { url: "postgres://h/d", query: x }, mounted: true } }',
      'sources.a.mounted goes with folder, not with sql; allowed beside sql: table, method, dialect, every, start_from',
    ],
    ['sources: { a: { table: a.b } }', 'sources.a needs exactly one of the keys folder, s3, hdfs, sql, http'],
    [
      'sources: { a: { table: a.b, folder: x, sql: { url: "postgres://h/d", query: x } } }',
      'sources.a.sql does not go with folder; exactly one is allowed of folder, s3, hdfs, sql, http',
    ],
    [
      'sources: { a: { table: a.b, http: { port: 1, token: 0123456789abcdef }, every: 1m } }',
      'sources.a.every goes with folder or s3 or hdfs or sql, not with http; allowed beside http: table, method, dialect',
    ],
    [
      'sources: { a: { table: a.b, http: { port: 1 } } }',
      'sources.a.http.token is missing; or set token_file',
    ],
    [
      'sources: { a: { table: a.b, http: { port: 1, token: short } } }',
      'sources.a.http.token must have at least 16 printable ASCII characters, and no blanks',
    ],
    [
      'sources: { a: { table: a.b, sql: { url: "mysql://h/d", query: x } } }',
      'sources.a.sql.url must be a URL such as postgres://user@host:5432/database; a "%" in it is %25, a "/" in the password %2F',
    ],
    [
      'sources: { a: { table: a.b, sql: { url: "postgres://u:10%@h/d", query: x } } }',
      'sources.a.sql.url must be a URL such as postgres://user@host:5432/database; a "%" in it is %25, a "/" in the password %2F',
    ],
    [
      'sources: { a: { table: a.b, sql: { url: "postgres://h/d", query: x, overlap: 1m } } }',
      'sources.a.sql.overlap goes with watermark, not with query; allowed beside query: url, password_file, connect_timeout, timeout, levels',
    ],
    [
      'sources: { a: { table: a.b, sql: { url: "postgres://h/d", watermark: x, from: a.b.c } } }',
      'sources.a.sql.from must be schema.table',
    ],
    [
      'sources: { a: { table: a.b, sql: { url: "postgres://h/d" } } }',
      'sources.a.sql needs exactly one of the keys query, watermark',
    ],
    [
      'sources: { a: { table: a.b, sql: { url: "postgres://u:p@h/d", password_file: f, query: x } } }',
      'sources.a.sql.password_file says again what the password in url says; leave one of them out',
    ],
    [
      'sources: { a: { table: a.b, s3: { url: s3a://lake/t }, mounted: true } }',
      'sources.a.s3.url must be s3://bucket or s3://bucket/prefix/, without credentials',
      'sources.a.mounted goes with folder, not with s3; allowed beside s3: table, method, dialect, levels, complete, settle, every, start_from',
    ],
    [
      'sources: { a: { table: a.b, s3: { url: s3://key:secret@lake/t, endpoint: http://key:secret@s3:9000 } } }',
      'sources.a.s3.url must be s3://bucket or s3://bucket/prefix/, without credentials',
      'sources.a.s3.endpoint must be http://host:port or https://host:port',
    ],
    [
      'sources: { a: { table: a.b, hdfs: { path: t/../x, namenodes: [http://u:p@nn1:9870], pth: 1 } } }',
      'sources.a.hdfs.path must be a path from the root on, without "." and "..", such as /warehouse/orders',
      'sources.a.hdfs.namenodes[0] must be http://host:port or https://host:port',
      'sources.a.hdfs.pth is no key here. Did you mean path? (allowed: path, namenodes, user, request_timeout)',
    ],
    [
      'sources: { a: { table: a.b, hdfs: { path: /t } } }',
      'sources.a.hdfs.namenodes is missing; it must be a list or text',
    ],
    // What does not go together.
    ['kafka: { tls: { cert_file: x } }', 'kafka.tls.key_file is missing; cert_file needs it'],
    [
      'kafka: { sasl: { mechanism: plain } }',
      'kafka.sasl.username is missing; plain needs it',
      'kafka.sasl.password is missing; plain needs it, or password_file',
    ],
    [
      'kafka: { sasl: { mechanism: oauthbearer } }',
      'kafka.sasl.token is missing; oauthbearer needs it, or token_file',
    ],
  ])('%s', (yaml, ...expected) => {
    expect(problems(yaml)).toEqual(expected);
    expect(validate(parse(yaml) as JsonObject, () => false).ok).toBe(false);
  });

  it('is nothing where the file is right, whatever it uses', () => {
    const yaml = `
      name: sales
      kafka: { brokers: "a:1, b:2", connect_timeout: 3, tls: { ca_file: ca.pem }, sasl: { mechanism: plain, username: u, password: p } }
      client: { http: { port: 0 } }
      trigger: { table: a.b, partition: { yyyymm: 201704 } }
      jobs:
        load:
          every: day
          needs:
            - { table: a.b, partition: { d: 1 } }
            - { any_of: [{ table: a.b }, { job: h/j, key: k }] }
            - { at_least: 1, of: [{ table: c.d }] }
            - { each: { region: [us, 5] }, table: e.f, partition: { region: "{{ region }}" } }
          run: [a, b]
          args: []
          retries: { attempts: 3, backoff: 5 }
      profiles: { prod: { kafka: { sasl: { password: x }, tls: { key_file: k } } } }
    `;
    expect(problems(yaml)).toEqual([]);
    expect(validate(parse(yaml) as JsonObject, () => false).ok).toBe(true);
  });
});
