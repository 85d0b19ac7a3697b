import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type HippoMessage,
  type MessageKind,
  parseMessage,
  recognise,
  serialiseMessage,
} from '../../src/messages/index.ts';
import { anyJson } from '../support/json.ts';

const received = [{ topic: 'frontier-adw', partition: 0, offset: '42', need: 'btd.party', traceparent: 't' }];

const HEALTH = {
  clientIP: '10.0.0.7',
  path: '/srv/hippos/load',
  service_name: 'load',
  monitor_pid: 11,
  service_pid: 12,
  exec_time: 1_493_394_946_123,
  is_success: 1,
  error_msg: '',
  coordAddress: 'http://manager:8080',
  interval: 30_000,
  user: 'etl',
};

/** Each kind as it is on the wire, and as its type. */
const KINDS: [string, Record<string, unknown>, HippoMessage][] = [
  [
    'a start',
    { hippo_name: 'uat.project', job_name: 'gp_001', job_id: 'gp_001_1564568760', start_time: 1_564_568_760 },
    {
      kind: 'start',
      hippoName: 'uat.project',
      jobName: 'gp_001',
      jobId: 'gp_001_1564568760',
      startTime: 1_564_568_760,
      extra: {},
    },
  ],
  [
    'a start of ours, and a field of another service',
    {
      hippo_name: 'h',
      job_name: 'j',
      job_id: 'j_1',
      start_time: 1,
      run_key: '201704',
      receive_msgs: received,
      need_msgs: ['a'],
    },
    {
      kind: 'start',
      hippoName: 'h',
      jobName: 'j',
      jobId: 'j_1',
      startTime: 1,
      runKey: '201704',
      receiveMsgs: received,
      extra: { need_msgs: ['a'] },
    },
  ],
  [
    'a finish, with what other services add',
    {
      hippo_name: 'uat.project',
      job_name: 'gp_001',
      job_id: 'gp_001_1564568760',
      is_success: true,
      finish_time: 1_564_568_760,
      duration_time: 50,
      update_frequency: 'D',
      execute_time: '20190731',
      receive_msgs: [{ topic: 'a', message: 'b' }],
      num: 3,
    },
    {
      kind: 'finish',
      hippoName: 'uat.project',
      jobName: 'gp_001',
      jobId: 'gp_001_1564568760',
      isSuccess: true,
      finishTime: 1_564_568_760,
      durationTime: 50,
      extra: {
        update_frequency: 'D',
        execute_time: '20190731',
        receive_msgs: [{ topic: 'a', message: 'b' }],
        num: 3,
      },
    },
  ],
  [
    'a finish of ours',
    {
      hippo_name: 'h',
      job_name: 'j',
      job_id: 'j_1',
      is_success: false,
      finish_time: 2,
      duration_time: 1.5,
      run_key: 'yyyymm=201704',
      receive_msgs: received,
      error_msg: 'exit code 3',
      result: { rows: 1 },
    },
    {
      kind: 'finish',
      hippoName: 'h',
      jobName: 'j',
      jobId: 'j_1',
      isSuccess: false,
      finishTime: 2,
      durationTime: 1.5,
      runKey: 'yyyymm=201704',
      receiveMsgs: received,
      errorMsg: 'exit code 3',
      extra: { result: { rows: 1 } },
    },
  ],
  [
    'a manual run',
    { hippo_name: 'h', job_name: 'j' },
    { kind: 'schedule', hippoName: 'h', jobName: 'j', action: 'run', extra: {} },
  ],
  [
    'a request of ours',
    {
      hippo_name: 'h',
      job_name: 'j',
      action: 'mark_success',
      run_key: '201704',
      by: 'ann',
      reason: 'loaded by hand',
      ticket: 7,
    },
    {
      kind: 'schedule',
      hippoName: 'h',
      jobName: 'j',
      action: 'mark_success',
      runKey: '201704',
      by: 'ann',
      reason: 'loaded by hand',
      extra: { ticket: 7 },
    },
  ],
  [
    'a sign of life',
    { ...HEALTH, version: '0.1.0' },
    {
      kind: 'health',
      clientIp: '10.0.0.7',
      path: '/srv/hippos/load',
      serviceName: 'load',
      monitorPid: 11,
      servicePid: 12,
      execTime: 1_493_394_946_123,
      isSuccess: 1,
      errorMsg: '',
      coordAddress: 'http://manager:8080',
      interval: 30_000,
      user: 'etl',
      extra: { version: '0.1.0' },
    },
  ],
  [
    'an alert',
    {
      alert_id: 'h/deadline/load/2017-04-28',
      state: 'firing',
      condition: 'deadline',
      hippo_name: 'h',
      subject: 'load',
      run_key: '2017-04-28',
      since: 1_493_394_946,
      time: 1_493_394_950,
      text: 'load 2017-04-28 has missed its deadline',
      next: ['hippo job run h/load --key 2017-04-28'],
      severity: 'page',
    },
    {
      kind: 'alert',
      alertId: 'h/deadline/load/2017-04-28',
      state: 'firing',
      condition: 'deadline',
      hippoName: 'h',
      subject: 'load',
      runKey: '2017-04-28',
      since: 1_493_394_946,
      time: 1_493_394_950,
      text: 'load 2017-04-28 has missed its deadline',
      next: ['hippo job run h/load --key 2017-04-28'],
      extra: { severity: 'page' },
    },
  ],
  [
    'a message about a model',
    { message: 'NEW_DATA', model: 'iris', depth: 3, asked: { by: 'ann' } },
    { kind: 'model', message: 'NEW_DATA', model: 'iris', extra: { depth: 3, asked: { by: 'ann' } } },
  ],
];

describe.each(KINDS)('%s', (_, wire, message) => {
  it('is read', () => {
    expect(parseMessage(message.kind, JSON.stringify(wire))).toStrictEqual({ ok: true, message });
  });

  it('is written as it was read', () => {
    expect(JSON.parse(serialiseMessage(message))).toStrictEqual(wire);
  });

  it('is recognised by its shape', () => {
    expect(recognise(JSON.stringify(wire))).toBe(message.kind);
  });
});

it('writes exactly the eleven fields that an existing manager parses, in its types', () => {
  const parsed = parseMessage('health', JSON.stringify({ ...HEALTH, user: undefined }));
  const written = parsed.ok ? serialiseMessage(parsed.message) : '';
  expect(JSON.parse(written)).toStrictEqual({ ...HEALTH, user: '' });
});

it.each<[MessageKind, Record<string, unknown>, string, string]>([
  ['start', { hippo_name: 'h', job_name: 'j', start_time: 1 }, 'job_id', 'is missing; it must be text'],
  [
    'start',
    { hippo_name: 'h', job_name: 'j', job_id: 'j', start_time: true },
    'start_time',
    'must be epoch seconds, not true or false',
  ],
  ['finish', { hippo_name: 'h', job_name: '', job_id: 'j' }, 'job_name', 'must not be blank'],
  [
    'finish',
    { hippo_name: 'h', job_name: 'j', job_id: 'j', is_success: 'true' },
    'is_success',
    'must be true or false, not text',
  ],
  [
    'finish',
    { hippo_name: 'h', job_name: 'j', job_id: 'j', is_success: true, finish_time: 1, duration_time: '5' },
    'duration_time',
    'must be a number, not text',
  ],
  ['schedule', { hippo_name: 7, job_name: 'j' }, 'hippo_name', 'must be text, not 7'],
  [
    'schedule',
    { hippo_name: 'h', job_name: 'j', action: 'stop' },
    'action',
    'must be one of run, cancel, pause, resume, mark_success',
  ],
  ['schedule', { hippo_name: 'h', job_name: 'j', run_key: 201704 }, 'run_key', 'must be text, not 201704'],
  [
    'schedule',
    { hippo_name: 'h', job_name: 'j', reason: 'x'.repeat(2001) },
    'reason',
    'must have at most 2000 characters',
  ],
  ['health', { ...HEALTH, monitor_pid: '11' }, 'monitor_pid', 'must be a whole number, not text'],
  ['health', { ...HEALTH, exec_time: 1.5 }, 'exec_time', 'must be a whole number, not 1.5'],
  ['health', { ...HEALTH, is_success: true }, 'is_success', 'must be 0 or 1'],
  ['health', { ...HEALTH, coordAddress: undefined }, 'coordAddress', 'is missing; it must be text'],
])('%s: refuses %j', (kind, wire, key, reason) => {
  expect(parseMessage(kind, JSON.stringify(wire))).toStrictEqual({ ok: false, rejection: { reason, key } });
});

describe('values that are not messages', () => {
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
  const utf16 = (text: string): Uint8Array =>
    new Uint8Array(Uint16Array.from(text, (char) => char.charCodeAt(0)).buffer);

  it.each<[string, Uint8Array | string, string | RegExp]>([
    ['nothing', '', 'is empty'],
    ['blanks', ' \n', 'is empty'],
    ['a word', 'hello', /^is not JSON: Unexpected token/],
    ['half an object', '{"db":"a",', /^is not JSON: /],
    ['a list', '[]', 'must be a JSON object, not a list'],
    ['null', 'null', 'must be a JSON object, not null'],
    ['a number', '1', 'must be a JSON object, not a number'],
    ['a text', '"a"', 'must be a JSON object, not text'],
    ['invalid UTF-8', bytes(0x7b, 0xff, 0x7d), 'is not UTF-8'],
    ['half a character', bytes(0xe2, 0x82), 'is not UTF-8'],
    ['a byte order mark alone', bytes(0xef, 0xbb, 0xbf), 'is empty'],
    ['UTF-16', bytes(0xff, 0xfe, 0x7b, 0x00), 'is UTF-16; it must be UTF-8'],
    ['UTF-16 without a mark', utf16('{"db":"a"}'), 'is UTF-16LE; it must be UTF-8'],
    [
      'UTF-16, its high bytes first',
      utf16('{"db":"a"}').map((_, at, all) => all[at ^ 1] ?? 0),
      'is UTF-16BE; it must be UTF-8',
    ],
    ['gzip', bytes(0x1f, 0x8b, 0x08, 0x00), 'is compressed with gzip; it must be JSON'],
    ['zstd', bytes(0x28, 0xb5, 0x2f, 0xfd, 0x20), 'is compressed with zstd; it must be JSON'],
    [
      "a schema registry's JSON",
      Uint8Array.from([0, 0, 0, 1, 5, ...new TextEncoder().encode('{"db":"a"}')]),
      'is framed by a schema registry \\(0x00 and schema id 261 before the JSON\\); it must be JSON alone',
    ],
    [
      "a schema registry's Avro",
      bytes(0, 0, 0, 0, 42, 6, 0x61, 0x62, 0x63, 0x64),
      "is not JSON; it begins with the bytes 00 00 00 00 2a 06 61 62, perhaps a schema registry's framing with schema id 42",
    ],
    ['binary data', bytes(0xde, 0xad, 0xbe, 0xef), 'is not UTF-8; it begins with the bytes de ad be ef'],
    ['a NUL', bytes(0), 'is not JSON; it begins with the bytes 00'],
    ['a control character', bytes(0x7b, 0x01, 0x7d), 'is not JSON; it begins with the bytes 7b 01 7d'],
    ['a blank that is none', new TextEncoder().encode('\u00a0{}'), 'is not JSON: Unexpected token U\\+00A0,'],
    ['text', new TextEncoder().encode('hello'), "is not JSON: Unexpected token 'h'"],
    ['65 levels', `{"a":${'['.repeat(64)}${']'.repeat(64)}}`, 'is nested more than 64 levels deep'],
    [
      '100,000 levels',
      `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'is nested more than 64 levels deep',
    ],
    [
      'a megabyte and a byte',
      `"${'x'.repeat(1_048_575)}"`,
      'is 1048577 bytes long; at most 1048576 are read',
    ],
  ])('%s', (_, input, reason) => {
    const parsed = parseMessage('frontier', input);
    expect(parsed).toStrictEqual({
      ok: false,
      rejection: { reason: expect.stringMatching(reason) as string },
    });
    expect(recognise(input)).toBeUndefined();
  });

  it('names a number that the field cannot hold, with its digits', () => {
    const finish = (fields: string): unknown =>
      parseMessage('finish', `{"hippo_name":"h","job_name":"j","job_id":"i","is_success":true,${fields}}`);
    const refused = (key: string, reason: string): unknown => ({ ok: false, rejection: { reason, key } });
    expect(finish('"finish_time":1,"duration_time":1e400')).toStrictEqual(
      refused('duration_time', 'is too large a number'),
    );
    expect(finish('"finish_time":-9223372036854775807,"duration_time":1')).toStrictEqual(
      refused('finish_time', 'must be epoch seconds, not -9223372036854775807'),
    );
    expect(finish('"finish_time":1493394946123456789,"duration_time":1')).toStrictEqual(
      refused('finish_time', 'must be epoch seconds, not nanoseconds'),
    );
    expect(parseMessage('frontier', '{"db":9223372036854775807}')).toStrictEqual(
      refused('db', 'must be text, not 9223372036854775807'),
    );
  });

  it.each([
    [
      'finish',
      '{"hippo_name":"h","job_name":"j","job_id":"i","is_success":true,"finish_time":1.0,"duration_time":50.0,',
    ],
    ['health', `${JSON.stringify(HEALTH).replace('"interval":30000', '"interval":30000.0').slice(0, -1)},`],
    ['frontier', '{"db":"a","table":"b","partition":[],"exec_date":1.0,'],
  ] as const)(
    'reads its own numbers however a %s message writes them, and keeps the digits of others',
    (kind, own) => {
      const extra = '"max":9223372036854775807,"price":1.10,"far":1e400,"more":[{"id":9007199254740993}]';
      const parsed = parseMessage(kind, `${own}${extra}}`);
      if (!parsed.ok) throw new Error(parsed.rejection.reason);
      expect(serialiseMessage(parsed.message)).toContain(extra);
      expect(parseMessage(kind, serialiseMessage(parsed.message))).toStrictEqual(parsed);
    },
  );

  it('gives a reason of one printable line, whatever stands in the message', () => {
    const parsed = parseMessage('frontier', `{"a"\u001b]0;owned\u0007\n\u202e${'x'.repeat(500)}`);
    const reason = parsed.ok ? '' : parsed.rejection.reason;
    expect(reason).toMatch(/^is not JSON: [\P{C}]+$/u);
    expect(reason.length).toBeLessThanOrEqual(200);
  });

  it('64 levels, a byte order mark and a megabyte are fine', () => {
    const deep = `{"hippo_name":"h","job_name":"j","a":${'['.repeat(63)}${']'.repeat(63)}}`;
    expect(parseMessage('schedule', deep).ok).toBe(true);
    expect(parseMessage('schedule', new TextEncoder().encode(`\ufeff${deep}`)).ok).toBe(true);
    const big = `{"hippo_name":"h","job_name":"j","a":"${'x'.repeat(1_048_576 - 40)}"}`;
    expect(big.length).toBe(1_048_576);
    expect(parseMessage('schedule', big).ok).toBe(true);
  });
});

it.each(['{}', '{"hippo_name":"h"}', '{"table":"t"}', '{"a":1}'])('does not recognise %s', (text) => {
  expect(recognise(text)).toBeUndefined();
});

const word = fc
  .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
  .filter((text) => text.trim() !== '');
const foreign = fc
  .dictionary(
    fc.string().filter((key) => !/^(\w+_(name|id|time|key|msgs?|success)|by|reason|action)$/.test(key)),
    anyJson,
    { maxKeys: 3 },
  )
  .filter((extra) => !('is_success' in extra));
const common = { hippoName: word, jobName: word, extra: foreign };
const optional = { runKey: word, receiveMsgs: fc.constant(received), receiveCount: fc.nat() };
const anyMessage = fc.oneof(
  fc.record(
    { kind: fc.constant('start'), ...common, jobId: word, startTime: fc.nat(), ...optional },
    { requiredKeys: ['kind', 'hippoName', 'jobName', 'jobId', 'startTime', 'extra'] },
  ),
  fc.record(
    {
      kind: fc.constant('finish'),
      ...common,
      jobId: word,
      isSuccess: fc.boolean(),
      finishTime: fc.nat(),
      durationTime: fc.nat(),
      ...optional,
      errorMsg: fc.string(),
    },
    {
      requiredKeys: [
        'kind',
        'hippoName',
        'jobName',
        'jobId',
        'isSuccess',
        'finishTime',
        'durationTime',
        'extra',
      ],
    },
  ),
  fc.record(
    {
      kind: fc.constant('schedule'),
      ...common,
      action: fc.constantFrom('run', 'cancel', 'pause', 'resume', 'mark_success'),
      runKey: word,
      by: fc.string(),
      reason: fc.string(),
    },
    { requiredKeys: ['kind', 'hippoName', 'jobName', 'action', 'extra'] },
  ),
) as fc.Arbitrary<HippoMessage>;

it('any message comes out as it went in', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const wire = serialiseMessage(message);
      expect(parseMessage(message.kind, wire)).toEqual({ ok: true, message });
    }),
    { numRuns: 500 },
  );
});
