import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  type ModelMessage,
  isBuildModel,
  isKillModel,
  isNewModel,
  isPromoteModel,
  parseModel,
  recognise,
  serialiseModel,
} from '../../src/messages/index.ts';

const OLD = '20261127T000000Z-aaaaaa';
const NEW = '20261128T234539Z-d2680d';

/** Each message as it is on the wire, and as its type. */
const EXAMPLES: [string, Record<string, unknown>, ModelMessage][] = [
  [
    'BUILD_MODEL',
    {
      message: 'BUILD_MODEL',
      model: 'iris',
      hippo_name: 'flowers',
      params: { reg_param: 0.1, solver: 'auto' },
      by: 'ann@desk',
      reason: 'new labels',
      ticket: 7,
    },
    {
      kind: 'model',
      message: 'BUILD_MODEL',
      model: 'iris',
      hippoName: 'flowers',
      params: { reg_param: 0.1, solver: 'auto' },
      by: 'ann@desk',
      reason: 'new labels',
      extra: { ticket: 7 },
    },
  ],
  [
    'the shortest BUILD_MODEL',
    { message: 'BUILD_MODEL', model: 'iris' },
    { kind: 'model', message: 'BUILD_MODEL', model: 'iris', extra: {} },
  ],
  [
    'NEW_MODEL',
    {
      message: 'NEW_MODEL',
      model: 'iris',
      version: NEW,
      promoted: false,
      hippo_name: 'flowers',
      job_id: 'build_1795909539',
      location: 'file:///srv/flowers/data/models/iris',
      metrics: { accuracy: 0.91, f1: 0.9 },
      parent: OLD,
      serving: { version: OLD, metrics: { accuracy: 0.97 } },
      margin: 0.01,
      time: 1_795_909_539,
    },
    {
      kind: 'model',
      message: 'NEW_MODEL',
      model: 'iris',
      version: NEW,
      promoted: false,
      hippoName: 'flowers',
      jobId: 'build_1795909539',
      location: 'file:///srv/flowers/data/models/iris',
      metrics: { accuracy: 0.91, f1: 0.9 },
      parent: OLD,
      serving: { version: OLD, metrics: { accuracy: 0.97 } },
      margin: 0.01,
      time: 1_795_909_539,
      extra: {},
    },
  ],
  [
    'NEW_MODEL of another toolkit',
    { message: 'NEW_MODEL', model: 'iris', path: '/models/7' },
    { kind: 'model', message: 'NEW_MODEL', model: 'iris', extra: { path: '/models/7' } },
  ],
  [
    'PROMOTE_MODEL',
    {
      message: 'PROMOTE_MODEL',
      model: 'iris',
      version: OLD,
      expect: NEW,
      by: 'ann',
      reason: 'wrong labels',
    },
    {
      kind: 'model',
      message: 'PROMOTE_MODEL',
      model: 'iris',
      version: OLD,
      expect: NEW,
      by: 'ann',
      reason: 'wrong labels',
      extra: {},
    },
  ],
  [
    'PROMOTE_MODEL where none serves',
    { message: 'PROMOTE_MODEL', model: 'iris', version: OLD, expect: null },
    { kind: 'model', message: 'PROMOTE_MODEL', model: 'iris', version: OLD, expect: null, extra: {} },
  ],
  [
    'KILL',
    { message: 'KILL', model: 'iris', target: 'api', by: 'ann', reason: 'leaks' },
    { kind: 'model', message: 'KILL', model: 'iris', target: 'api', by: 'ann', reason: 'leaks', extra: {} },
  ],
  [
    'a message without a model',
    { message: 'KILL', target: 'all' },
    { kind: 'model', message: 'KILL', extra: { target: 'all' } },
  ],
];

describe.each(EXAMPLES)('%s', (_, wire, message) => {
  it('is read', () => {
    expect(parseModel(JSON.stringify(wire))).toStrictEqual({ ok: true, message });
  });

  it('is written as it was read', () => {
    expect(JSON.parse(serialiseModel(message))).toStrictEqual(wire);
  });

  it('is recognised by its shape', () => {
    expect(recognise(JSON.stringify(wire))).toBe('model');
  });
});

test.each<[string, Record<string, unknown>, string, string]>([
  ['parameters that are a list', { message: 'BUILD_MODEL', params: [1] }, 'params', 'must be an object'],
  ['another hippo by a number', { message: 'BUILD_MODEL', hippo_name: 7 }, 'hippo_name', 'must be text'],
  ['no version', { message: 'PROMOTE_MODEL' }, 'version', 'is missing'],
  [
    'an expectation of another kind',
    { message: 'PROMOTE_MODEL', version: 'v', expect: 1 },
    'expect',
    'must be',
  ],
  ['a target that is not known', { message: 'KILL', target: 'all' }, 'target', 'must be one of builder, api'],
  ['a note that is too long', { message: 'KILL', reason: 'x'.repeat(2_001) }, 'reason', 'at most 2000'],
])('a message with %s is refused', (_, wire, key, reason) => {
  const parsed = parseModel(JSON.stringify({ model: 'iris', ...wire }));
  expect(parsed).toMatchObject({ ok: false, rejection: { key } });
  expect(parsed.ok ? '' : parsed.rejection.reason).toContain(reason);
});

const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/);
const metrics = fc.dictionary(
  name,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
  { maxKeys: 4 },
);
const note = fc.option(fc.string({ maxLength: 40 }), { nil: undefined });
const asked = fc.record({ by: note, reason: note });
const hippoName = fc.option(name, { nil: undefined });
const measured = fc.record({ version: name, metrics });

const anyMessage: fc.Arbitrary<ModelMessage> = fc
  .oneof(
    fc.tuple(
      fc.record({
        message: fc.constant('BUILD_MODEL' as const),
        hippoName,
        params: fc.option(fc.dictionary(name, fc.oneof(fc.integer(), name, fc.boolean())), {
          nil: undefined,
        }),
      }),
      asked,
    ),
    fc.tuple(
      fc.record({
        message: fc.constant('PROMOTE_MODEL' as const),
        version: name,
        hippoName,
        expect: fc.option(fc.option(name), { nil: undefined }),
      }),
      asked,
    ),
    fc.tuple(
      fc.record({
        message: fc.constant('KILL' as const),
        hippoName,
        target: fc.constantFrom('builder' as const, 'api' as const, undefined),
      }),
      asked,
    ),
    fc.tuple(
      fc.record({
        message: fc.constant('NEW_MODEL' as const),
        version: name,
        promoted: fc.boolean(),
        hippoName: name,
        jobId: hippoName,
        location: fc.webUrl(),
        metrics,
        parent: fc.option(name),
        serving: fc.option(measured),
        margin: fc.constantFrom(undefined, 0, 0.01),
        time: fc.nat(),
      }),
      asked,
    ),
    fc.tuple(fc.record({ message: fc.stringMatching(/^[A-Z]{2,9}$/) }), fc.constant({})),
  )
  .chain(([own, who]) =>
    fc.record({ model: name, extra: fc.dictionary(fc.stringMatching(/^x_[a-z]{1,5}$/), fc.integer()) }).map(
      (rest) =>
        ({
          kind: 'model',
          ...Object.fromEntries(
            Object.entries({ ...own, ...who }).filter(([, value]) => value !== undefined),
          ),
          ...rest,
        }) as unknown as ModelMessage,
    ),
  );

test('every message is read as it was written', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      expect(parseModel(serialiseModel(message))).toEqual({ ok: true, message });
    }),
  );
});

test('the guards tell the messages that are understood from others', () => {
  const guards = { isBuildModel, isKillModel, isNewModel, isPromoteModel };
  const known = EXAMPLES.map(([, , message]) =>
    Object.entries(guards).flatMap(([guard, is]) => (is(message) ? [guard] : [])),
  );
  expect(known).toEqual([
    ['isBuildModel'],
    ['isBuildModel'],
    ['isNewModel'],
    [],
    ['isPromoteModel'],
    ['isPromoteModel'],
    ['isKillModel'],
    [],
  ]);
});
