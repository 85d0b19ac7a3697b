import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import {
  type StateKey,
  decodeStateValue,
  listPositions,
  parseStateRecord,
  positionsToJson,
  withPosition,
} from '../../src/state/index.ts';

const INPUT = { need: 'a.a', topic: 't', partition: 0, offset: '1', version: 1, at: 0, values: {} };
const RUN = {
  job: 'load',
  key: '2017-04-28',
  status: 'waiting',
  jobId: null,
  attempt: 0,
  failures: 0,
  attemptId: null,
  inputs: { 'a.a': INPUT },
  relanded: {},
  firstInputAt: 0,
};
const OWNER = { client: 'c', token: 't', host: 'h', pid: 1, since: '2017-04-28T00:00:00.000Z' };

const VERSION = {
  version: '20261128T234539Z-d2680d',
  builtAt: 1,
  jobId: 'build_1',
  metrics: { accuracy: 0.97 },
  rows: 120,
  parent: null,
  promoted: true,
  why: 'it is the first version',
  manifestSha256: 'ab12',
};
const MODEL = {
  serving: VERSION.version,
  previous: null,
  since: 1,
  by: null,
  reason: null,
  versions: [VERSION],
  retired: ['20261127T000000Z-aaaaaa'],
};
const MODEL_KEY: StateKey = { kind: 'model', hippo: 'etl', model: 'iris' };

const RUN_KEY: StateKey = { kind: 'run', hippo: 'etl', job: 'load', key: '2017-04-28' };
const INPUT_KEY: StateKey = { kind: 'input', hippo: 'etl', job: 'load', input: 'a.a/dt=1' };
const PAUSED_KEY: StateKey = { kind: 'paused', hippo: 'etl', job: 'load' };
const PART_KEY: StateKey = { kind: 'run-input', hippo: 'etl', job: 'load', input: '2017-04-28/a.a' };
const PART = { key: '2017-04-28', landed: INPUT };
const OFFSETS_KEY: StateKey = { kind: 'offsets', hippo: 'etl' };
const OWNER_KEY: StateKey = { kind: 'owner', hippo: 'etl' };

describe('a state record', () => {
  test.each<[StateKey, Json, unknown]>([
    [RUN_KEY, RUN, { run: RUN }],
    [RUN_KEY, { ...RUN, added: 'by a newer hippo' }, { run: { ...RUN, added: 'by a newer hippo' } }],
    [INPUT_KEY, INPUT, { job: 'load', input: INPUT }],
    [PART_KEY, PART, { job: 'load', need: 'a.a', part: PART }],
    [MODEL_KEY, MODEL, { model: 'iris', state: MODEL }],
    [
      RUN_KEY,
      { ...RUN, build: { params: { depth: 3 }, parent: null } },
      {
        run: { ...RUN, build: { params: { depth: 3 }, parent: null } },
      },
    ],
    [PAUSED_KEY, { at: 1, by: 'ann' }, { job: 'load', pause: { at: 1, by: 'ann' } }],
    [OFFSETS_KEY, { t: { next: { '0': '7' } } }, { positions: new Map([['t', new Map([[0, 7n]])]]) }],
    [OWNER_KEY, OWNER, { owner: OWNER }],
  ])('of %j is read', (key, value, expected) => {
    expect(parseStateRecord(key, value)).toEqual({ kind: key.kind, hippo: 'etl', ...(expected as object) });
  });

  test.each<[why: string, StateKey, Json]>([
    ['a tombstone', RUN_KEY, null],
    ['not an object', RUN_KEY, 'running'],
    ['of another run', RUN_KEY, { ...RUN, key: '2017-04-27' }],
    ['of a status that is not known', RUN_KEY, { ...RUN, status: 'dreaming' }],
    ['with an input of another shape', RUN_KEY, { ...RUN, inputs: { 'a.a': { ...INPUT, offset: 1 } } }],
    ['asked for by a request without its reference', RUN_KEY, { ...RUN, manual: { by: 'ann' } }],
    ['with the input of another run', PART_KEY, { ...PART, key: '2017-04-27' }],
    ['with no input', PART_KEY, { key: '2017-04-28' }],
    ['whose inputs are apart in another way', RUN_KEY, { ...RUN, apart: 'yes' }],
    ['held for a reason that is not text', RUN_KEY, { ...RUN, held: true }],
    ['of another need', INPUT_KEY, { ...INPUT, need: 'a.b' }],
    ['with an offset that is not decimal', INPUT_KEY, { ...INPUT, offset: '0x1' }],
    ['of a build whose version is not text', RUN_KEY, { ...RUN, build: { version: 7 } }],
    ['of a model without versions', MODEL_KEY, { ...MODEL, versions: null }],
    [
      'of a model with a metric that is text',
      MODEL_KEY,
      { ...MODEL, versions: [{ ...VERSION, metrics: { accuracy: 'high' } }] },
    ],
    ['without its time', PAUSED_KEY, { by: 'ann' }],
    ['without positions', OFFSETS_KEY, []],
    ['without a token', OWNER_KEY, { ...OWNER, token: null }],
    ['of an unknown kind', { kind: 'unknown', hippo: 'etl', rest: 'x' }, {}],
  ])('is passed over: %s', (_, key, value) => {
    expect(parseStateRecord(key, value)).toBeUndefined();
  });

  test('has JSON as its value; bytes that are not JSON count as none', () => {
    expect(decodeStateValue(RUN_KEY, Buffer.from('{"a":"é"}'))).toEqual({ a: 'é' });
    expect(decodeStateValue(RUN_KEY, Buffer.from('{'))).toBeNull();
    expect(decodeStateValue(RUN_KEY, Buffer.of(0xff))).toBeNull();
    expect(decodeStateValue(RUN_KEY, null)).toBeNull();
  });
});

describe('positions', () => {
  test('keep all 64 bits through JSON', () => {
    const last = { topic: 't', partition: 11, offset: 2n ** 63n - 1n };
    const positions = withPosition(withPosition(new Map(), { ...last, partition: 0, offset: 0n }), last);
    const read = parseStateRecord(
      OFFSETS_KEY,
      JSON.parse(JSON.stringify(positionsToJson(positions))) as Json,
    );
    expect(read).toEqual({ kind: 'offsets', hippo: 'etl', positions });
    expect(listPositions(positions)).toHaveLength(2);
  });

  test('of another form are left out, so that these partitions are read again', () => {
    const next = { '0': '7', x: '1', '1': 1, '2': '-1', '3': '1.5', '4': '' };
    const value = { t: { next }, u: { next: 'all' }, w: null };
    expect(parseStateRecord(OFFSETS_KEY, value)).toMatchObject({
      positions: new Map([
        ['t', new Map([[0, 7n]])],
        ['u', new Map()],
        ['w', new Map()],
      ]),
    });
  });
});
