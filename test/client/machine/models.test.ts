import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { CompileProblem } from '../../../src/client/machine/index.ts';
import { decide, withoutOld } from '../../../src/client/machine/versions.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { KillModel, ModelMessage, NewModel } from '../../../src/messages/types.ts';
import type { ModelState, ModelVersion } from '../../../src/state/index.ts';
import { DAY, Hippo, MINUTE, NOON, SECOND, TRACE, compiled, notices } from './hippo.ts';

const JOBS = { build: { run: './build.sh' } };
const MODELS = {
  iris: {
    builder: 'build',
    service: 'api',
    location: 'file:///m/iris',
    promote: { metric: 'accuracy', margin: 0.01 },
    keep: { versions: 2, age: '90d' },
    params: { reg_param: { type: 'number' as const, min: 0, default: 0.01 } },
  },
};
const SERVICES = { api: { run: './api.sh', scope: 'each' as const } };
const make = (models: object = {}): Hippo =>
  new Hippo(JOBS, { models: { iris: { ...MODELS.iris, ...models } }, services: SERVICES });

const about = (message: string, fields: object = {}): ModelMessage => ({
  kind: 'model',
  message,
  model: 'iris',
  extra: {},
  ...fields,
});
const BUILD = about('BUILD_MODEL');
const ann = { by: 'ann', reason: 'new labels' };

const lastKey = (hippo: Hippo): string => hippo.starts.at(-1)?.runKey ?? '';
const fileOf = (hippo: Hippo): JsonObject => hippo.submissions.at(-1)?.model ?? {};
/** The version that an attempt is to write. */
const versionIn = (file: JsonObject | undefined): string => {
  const version = file?.['version'];
  return typeof version === 'string' ? version : '';
};

/** The present attempt of the builder ends well. @returns the version that it has built */
function built(hippo: Hippo, accuracy = 0.9, more: JsonObject = {}): string {
  const version = versionIn(fileOf(hippo));
  const model = { name: 'iris', version, metrics: { accuracy }, ...more };
  hippo.exit('build', lastKey(hippo), { status: 'succeeded', result: { model } });
  return version;
}

function build(hippo: Hippo, accuracy?: number, more?: JsonObject): string {
  hippo.now += MINUTE;
  hippo.read(BUILD);
  return built(hippo, accuracy, more);
}

const stateOf = (hippo: Hippo): ModelState | undefined => hippo.state.models.get('iris');
const versions = (hippo: Hippo): string[] => stateOf(hippo)?.versions.map(({ version }) => version) ?? [];

describe('BUILD_MODEL', () => {
  it('runs the builder, which is told what to build', () => {
    const hippo = make();
    hippo.read(about('BUILD_MODEL', { params: { reg_param: 0.5 }, ...ann }), TRACE);
    expect(hippo.starts[0]).toMatchObject({
      jobName: 'build',
      receiveMsgs: [{ topic: 'model', partition: 0, offset: '1' }],
      extra: { asked_by: 'ann', reason: 'new labels' },
    });
    expect(hippo.submissions[0]?.traceparent).toMatch(/^00-a{32}/);
    expect(fileOf(hippo)).toEqual({
      model: 'iris',
      version: expect.stringMatching(/^20170428T120000Z-[\da-f]{6}$/) as string,
      location: 'file:///m/iris',
      parent: null,
      serving: null,
      params: { reg_param: 0.5 },
      retired: [],
      metric: 'accuracy',
    });
  });

  it('queues as runs of their own, with the defaults of what it does not set', () => {
    const hippo = make();
    hippo.read(BUILD);
    hippo.read(BUILD);
    expect(Object.values(hippo.statuses)).toEqual(['running', 'ready']);
    expect(fileOf(hippo)).toMatchObject({ params: { reg_param: 0.01 } });
  });

  it('keeps its parameters over retries and takeovers; each attempt writes a version of its own', () => {
    const hippo = new Hippo(
      { build: { retries: { attempts: 1, backoff: '1s' } } },
      { models: MODELS, services: SERVICES },
    );
    hippo.read(about('BUILD_MODEL', { params: { reg_param: 2 } }));
    hippo.fail('build', lastKey(hippo));
    hippo.restart();
    hippo.wait(2 * SECOND);
    hippo.restart();
    const files = hippo.submissions.map(({ model }) => model ?? {});
    expect(files.map(({ params }) => params)).toEqual(Array(3).fill({ reg_param: 2 }));
    expect(new Set(files.map(({ version }) => version)).size).toBe(3);
  });

  test.each<[string, object, string]>([
    ['an unknown parameter', { params: { depth: 1 } }, '"depth" is no parameter; allowed: reg_param'],
    ['a value that is not allowed', { params: { reg_param: -1 } }, 'reg_param must be at least 0'],
  ])('with %s is refused, and the hippo goes on', (_, fields, why) => {
    const hippo = make();
    expect(notices(hippo.read(about('BUILD_MODEL', { ...fields, by: 'ann' })))).toEqual([
      `warning: refused: BUILD_MODEL iris (asked by ann): ${why}`,
    ]);
    expect(hippo.starts).toEqual([]);
  });

  test.each([
    ['another hippo', { hippoName: 'other' }],
    ['another model', { model: 'movies' }],
    ['no model', { model: undefined }],
  ])('of %s does nothing', (_, fields) => {
    const hippo = make();
    expect(hippo.read(about('BUILD_MODEL', fields))).toEqual([]);
  });

  it('of this hippo by its name runs it', () => {
    const hippo = make();
    hippo.read(about('BUILD_MODEL', { hippoName: 'etl' }));
    expect(hippo.starts).toHaveLength(1);
  });

  it('is refused while the window that it means is at work', () => {
    const hippo = new Hippo({ build: { every: 'day' } }, { models: MODELS, services: SERVICES });
    hippo.read(BUILD);
    expect(notices(hippo.read(BUILD))).toEqual([
      'warning: refused: BUILD_MODEL iris: build 2017-04-28 is at work; cancel it first, or wait for its end',
    ]);
    hippo.exit('build', '2017-04-28');
    hippo.read(BUILD);
    expect(hippo.submissions).toHaveLength(2);
  });

  it('is refused while the builder is paused', () => {
    const hippo = make();
    hippo.ask('pause', 'build', ann);
    expect(notices(hippo.read(BUILD))[0]).toContain(
      'its builder build is paused by ann: new labels; resume it first: hippo job resume etl/build',
    );
  });
});

describe('a builder that ends well', () => {
  it('makes its version known, and the first one serves', () => {
    const hippo = make();
    const sha = 'ab'.repeat(32);
    const version = build(hippo, 0.9, { rows: 120, manifest_sha256: sha });
    expect(stateOf(hippo)).toEqual({
      serving: version,
      previous: null,
      since: hippo.now,
      by: null,
      reason: null,
      retired: [],
      versions: [
        {
          version,
          builtAt: hippo.now,
          jobId: hippo.starts[0]?.jobId,
          metrics: { accuracy: 0.9 },
          rows: 120,
          parent: null,
          promoted: true,
          why: 'it is the first version; accuracy is 0.9',
          manifestSha256: sha,
        },
      ],
    });
    expect(hippo.models).toEqual([
      {
        kind: 'model',
        message: 'NEW_MODEL',
        model: 'iris',
        version,
        promoted: true,
        hippoName: 'etl',
        jobId: hippo.starts[0]?.jobId,
        location: 'file:///m/iris',
        metrics: { accuracy: 0.9 },
        parent: null,
        serving: { version, metrics: { accuracy: 0.9 } },
        margin: 0.01,
        time: hippo.now / SECOND,
        extra: {},
      },
    ]);
  });

  it('writes pointer, NEW_MODEL and finish in one step', () => {
    const hippo = make();
    hippo.read(BUILD);
    const model = { name: 'iris', version: fileOf(hippo)['version'] ?? '', metrics: { accuracy: 1 } };
    const effects = hippo.exit('build', lastKey(hippo), { status: 'succeeded', result: { model } });
    expect(effects.map((effect) => (effect.type === 'publish' ? effect.role : effect.type))).toEqual([
      'persist',
      'persist',
      'model',
      'finish',
      'notice',
    ]);
    expect(hippo.exit('build', lastKey(hippo), { status: 'succeeded', result: { model } })).toEqual([]);
  });

  it('with a worse version leaves the pointer, and both figures are told', () => {
    const hippo = make();
    const first = build(hippo, 0.97);
    const second = build(hippo, 0.9);
    expect(stateOf(hippo)).toMatchObject({ serving: first, previous: null });
    expect(hippo.models.at(-1)).toMatchObject({
      version: second,
      promoted: false,
      parent: first,
      metrics: { accuracy: 0.9 },
      serving: { version: first, metrics: { accuracy: 0.97 } },
    });
  });

  test.each<[string, JsonObject, string]>([
    ['no result of a model', {}, 'it ended well, and its result has no `model`'],
    [
      'another model',
      { model: { name: 'movies' } },
      'its result is of the model "movies", and it builds iris',
    ],
    ['another version', { model: { name: 'iris', version: 'x' } }, 'its result is of the version "x"'],
  ])('with %s has failed', (_, result, why) => {
    const hippo = make();
    hippo.read(BUILD);
    hippo.exit('build', lastKey(hippo), { status: 'succeeded', result });
    expect(hippo.finishes[0]).toMatchObject({ isSuccess: false });
    expect(hippo.finishes[0]?.errorMsg).toContain(why);
    expect(hippo.models).toEqual([]);
    expect(stateOf(hippo)).toBeUndefined();
  });

  it('and has no result has failed; a job that builds nothing need not have one', () => {
    const hippo = make();
    hippo.read(BUILD);
    hippo.exit('build', lastKey(hippo));
    expect(hippo.finishes[0]?.errorMsg).toContain('has no `model`');
    const other = new Hippo(JOBS);
    other.ask('run', 'build');
    other.exit('build', lastKey(other));
    expect(other.finishes[0]).toMatchObject({ isSuccess: true });
  });

  it('marked as done by hand builds nothing', () => {
    const hippo = make();
    hippo.ask('mark_success', 'build', { runKey: 'x' });
    expect(hippo.finishes[0]).toMatchObject({ isSuccess: true });
    expect(hippo.models).toEqual([]);
  });

  it('retires what is beyond keep, tells the next builder, and forgets what that has removed', () => {
    const hippo = make({ promote: undefined });
    const all = [1, 2, 3, 4].map((accuracy) => build(hippo, accuracy));
    // The newest serves, its parent is the one before.
    expect(versions(hippo)).toEqual(all.slice(2));
    expect(stateOf(hippo)?.retired).toEqual(all.slice(0, 2));
    hippo.read(BUILD);
    expect(fileOf(hippo)['retired']).toEqual(all.slice(0, 2));
    built(hippo, 5, { removed: [all[0] ?? ''] });
    expect(stateOf(hippo)?.retired).toEqual([all[1], all[2]]);
  });
});

describe('PROMOTE_MODEL', () => {
  const promote = (hippo: Hippo, version: string, fields: object = {}): string[] =>
    notices(hippo.read(about('PROMOTE_MODEL', { version, ...fields })));

  it('moves the pointer back, is told by NEW_MODEL, and survives a restart', () => {
    const hippo = make({ promote: undefined });
    const [first, second] = [build(hippo, 1), build(hippo, 2)];
    hippo.now += MINUTE;
    expect(promote(hippo, first, { expect: second, ...ann })).toEqual([
      `info: model iris: ${first} serves from now on, as ann has asked`,
    ]);
    hippo.restart();
    expect(stateOf(hippo)).toMatchObject({ serving: first, previous: second, since: hippo.now, ...ann });
    expect(hippo.models.at(-1)).toMatchObject({
      message: 'NEW_MODEL',
      version: first,
      promoted: true,
      metrics: { accuracy: 1 },
      serving: { version: first },
      ...ann,
    });
    promote(hippo, second, { expect: first });
    expect(stateOf(hippo)).toMatchObject({ serving: second, previous: first, by: 'hand' });
  });

  it('is refused for what cannot serve, and says why', () => {
    const hippo = make({ promote: undefined });
    const [first = '', , third = '', fourth = ''] = [1, 2, 3, 4].map((value) => build(hippo, value));
    expect(promote(hippo, 'x')).toEqual([
      `warning: refused: PROMOTE_MODEL iris: there is no version x; the newest: ${third}, ${fourth}`,
    ]);
    expect(promote(hippo, first)[0]).toContain(`${first} is retired`);
    expect(promote(hippo, fourth)[0]).toContain(`${fourth} serves already`);
    expect(promote(hippo, third, { expect: first })[0]).toContain(`${fourth} serves now, not ${first}`);
    expect(promote(hippo, third, { expect: null })[0]).toContain(`${fourth} serves now, not none`);
    expect(stateOf(hippo)).toMatchObject({ serving: fourth });
  });
});

describe('KILL', () => {
  const kill = (fields: Partial<KillModel> = {}): ModelMessage => about('KILL', { ...ann, ...fields });
  const paused = (hippo: Hippo): string[] => [...hippo.state.pauses.keys()].sort();

  it('pauses builder and services, by whom and why, and cancels what the builder runs', () => {
    const hippo = make();
    hippo.read(BUILD);
    hippo.read(BUILD);
    const effects = hippo.read(kill());
    expect(effects).toContainEqual({
      type: 'cancel',
      run: { job: 'build', key: lastKey(hippo) },
      attemptId: hippo.submissions[0]?.attemptId,
      reason: 'cancelled by KILL by ann: KILL iris: new labels',
    });
    expect(hippo.state.pauses.get('api')).toMatchObject({ by: 'ann', reason: 'KILL iris: new labels' });
    hippo.exit('build', lastKey(hippo), { status: 'cancelled', reason: 'cancelled by KILL' });
    hippo.restart();
    hippo.wait(DAY);
    expect(paused(hippo)).toEqual(['api', 'build']);
    expect(Object.values(hippo.statuses)).toEqual(['cancelled', 'cancelled']);
    expect(hippo.submissions).toHaveLength(1);
  });

  test.each<[KillModel['target'], string[]]>([
    ['builder', ['build']],
    ['api', ['api']],
    [undefined, ['api', 'build']],
  ])('of %s', (target, names) => {
    const hippo = make();
    hippo.read(kill(target === undefined ? {} : { target }));
    expect(paused(hippo)).toEqual(names);
  });

  it('is over with a resume; then the builder runs again', () => {
    const hippo = make();
    hippo.read(kill());
    hippo.now += MINUTE;
    hippo.ask('resume', 'build');
    hippo.ask('resume', 'api');
    expect(paused(hippo)).toEqual([]);
    hippo.read(BUILD);
    expect(hippo.starts).toHaveLength(1);
  });

  it('that names nothing of this hippo says so', () => {
    const hippo = new Hippo(JOBS, { models: { iris: { builder: 'build', location: 'm' } } });
    expect(notices(hippo.read(kill({ target: 'api' })))[0]).toContain('or it names nothing');
  });

  /** Of messages that were written at these times, in whichever order they are read, the newest counts. */
  it('and resumes: the one that was written last counts, in whichever order they are read', () => {
    const message = fc.record({
      what: fc.constantFrom('KILL', 'resume'),
      written: fc.integer({ min: 0, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), fc.boolean(), (messages, restarts) => {
        const hippo = make();
        for (const { what, written } of messages) {
          hippo.readWritten(
            what === 'KILL'
              ? kill()
              : { kind: 'schedule', hippoName: 'etl', jobName: 'build', action: 'resume', extra: {} },
            NOON - 10 + written,
          );
          hippo.readWritten(
            what === 'KILL'
              ? kill({ target: 'api' })
              : { kind: 'schedule', hippoName: 'etl', jobName: 'api', action: 'resume', extra: {} },
            NOON - 10 + written,
          );
          if (restarts) hippo.restart();
        }
        const last = (what: string): number =>
          Math.max(-1, ...messages.filter((one) => one.what === what).map(({ written }) => written));
        const isPaused = last('KILL') > last('resume');
        expect(paused(hippo)).toEqual(isPaused ? ['api', 'build'] : []);
      }),
    );
  });

  it('of a clock that is ahead does not outlive the next resume', () => {
    const hippo = make();
    hippo.readWritten(kill(), NOON + DAY);
    hippo.now += SECOND;
    hippo.ask('resume', 'build');
    expect(paused(hippo)).toEqual(['api']);
  });
});

describe('what is promoted', () => {
  const state = (metrics: Record<string, number>): ModelState => ({
    serving: 'old',
    previous: null,
    since: 0,
    by: null,
    reason: null,
    retired: [],
    versions: [versionOf('old', 0, { metrics })],
  });
  const EMPTY: ModelState = { ...state({}), serving: null, versions: [] };
  const rule = { metric: 'a', better: 'higher' as const, margin: 0.01 };

  test.each([
    [0.97, 0.96, true],
    [0.97, 0.98, true],
    [0.97, 0.959, false],
    [0.3, 0.29, true],
  ])('higher is better: after %d, %d: %s', (old, own, promoted) => {
    expect(decide({ promote: rule }, state({ a: old }), { a: own }).promoted).toBe(promoted);
  });

  it('lower may be better', () => {
    const promote = { ...rule, better: 'lower' as const };
    expect(decide({ promote }, state({ a: 1 }), { a: 0.5 }).promoted).toBe(true);
    expect(decide({ promote }, state({ a: 1 }), { a: 1.02 }).promoted).toBe(false);
  });

  it('says why', () => {
    expect(decide({ promote: rule }, state({ a: 0.97 }), { a: 0.9 })).toEqual({
      promoted: false,
      why: 'a is 0.9, and that of old is 0.97; higher is better, and it may be worse by 0.01',
    });
    expect(decide({ promote: rule }, state({ b: 1 }), { a: 0.9 })).toEqual({
      promoted: true,
      why: 'a is 0.9, and old, which served, has no a',
    });
    expect(decide({ promote: null }, state({}), {}).promoted).toBe(true);
    expect(decide({ promote: rule }, EMPTY, {})).toEqual({
      promoted: false,
      why: 'its builder has told no finite number for the metric a',
    });
  });

  it('is what is not worse by more than the margin, and what has no figure never is', () => {
    const figure = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        figure,
        figure,
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.constantFrom('higher' as const, 'lower' as const),
        (old, own, margin, better) => {
          const promote = { metric: 'a', better, margin };
          const { promoted } = decide({ promote }, state({ a: old }), { a: own });
          const loss = better === 'higher' ? old - own : own - old;
          if (loss <= margin) expect(promoted).toBe(true);
          if (loss > margin * 1.001 + 1e-3) expect(promoted).toBe(false);
          for (const none of [{}, { a: NaN }, { a: Infinity }, { b: 1 }])
            expect(decide({ promote }, state({ a: old }), none).promoted).toBe(false);
          expect(decide({ promote }, EMPTY, { a: own }).promoted).toBe(true);
        },
      ),
    );
  });
});

function versionOf(version: string, builtAt: number, more: Partial<ModelVersion> = {}): ModelVersion {
  return {
    version,
    builtAt,
    jobId: 'build_1',
    metrics: {},
    rows: null,
    parent: null,
    promoted: true,
    why: '',
    manifestSha256: null,
    ...more,
  };
}

test('what is kept: the newest and young ones, the one that serves, its parent and the one before; no version is lost', () => {
  const known = fc.integer({ min: 1, max: 12 }).chain((count) =>
    fc.record({
      ages: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: count, maxLength: count }),
      parents: fc.array(fc.option(fc.nat(count - 1)), { minLength: count, maxLength: count }),
      serving: fc.option(fc.nat(count - 1)),
      previous: fc.option(fc.nat(count - 1)),
      keep: fc.record({ versions: fc.integer({ min: 1, max: 6 }), age: fc.integer({ min: 1, max: 20 }) }),
    }),
  );
  fc.assert(
    fc.property(known, ({ ages, parents, serving, previous, keep }) => {
      const name = (index: number | null): string | null => (index === null ? null : `v${index}`);
      const all = ages
        .toSorted((a, b) => b - a)
        .map((age, index) => versionOf(`v${index}`, 100 - age, { parent: name(parents[index] ?? null) }));
      const before: ModelState = {
        serving: name(serving),
        previous: name(previous),
        since: 0,
        by: null,
        reason: null,
        retired: ['r0'],
        versions: all,
      };
      const after = withoutOld({ keep }, before, 100);
      const left = after.versions.map(({ version }) => version);
      const parent = all.find(({ version }) => version === before.serving)?.parent;
      for (const safe of [before.serving, before.previous, parent])
        if (safe !== null && safe !== undefined) expect(left).toContain(safe);
      for (const [index, { version, builtAt }] of all.entries()) {
        const isBeyond = index < all.length - keep.versions || builtAt < 100 - keep.age;
        const isSafe = [before.serving, before.previous, parent].includes(version);
        expect(left.includes(version)).toBe(!isBeyond || isSafe);
        expect(after.retired.includes(version)).toBe(isBeyond && !isSafe);
      }
      expect(after.retired[0]).toBe('r0');
      expect(withoutOld({ keep }, after, 100)).toEqual(after);
    }),
  );
});

/** Builds, promotions, ends and takeovers in any order. */
test('the pointer always names a version that is kept, and each build is told exactly once', () => {
  const action = fc.oneof(
    fc.record({ do: fc.constant('build' as const) }),
    fc.record({
      do: fc.constant('end' as const),
      accuracy: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    }),
    fc.record({ do: fc.constant('fail' as const) }),
    fc.record({ do: fc.constant('promote' as const), which: fc.nat(9) }),
    fc.record({ do: fc.constant('restart' as const), alive: fc.boolean() }),
    fc.record({ do: fc.constant('wait' as const), days: fc.integer({ min: 0, max: 60 }) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
      const hippo = make();
      const ended = new Set<string>();
      for (const each of actions) {
        hippo.now += SECOND;
        const running = hippo.state.runs.get('build')?.running.first();
        const attempt = hippo.submissions.at(-1);
        if (each.do === 'build') hippo.read(BUILD);
        else if (each.do === 'wait') hippo.wait(each.days * DAY);
        else if (each.do === 'restart')
          hippo.restart(each.alive && attempt !== undefined ? [attempt.attemptId] : []);
        else if (each.do === 'promote') {
          const version = versions(hippo)[each.which] ?? 'none';
          hippo.read(about('PROMOTE_MODEL', { version, expect: stateOf(hippo)?.serving ?? null }));
        } else if (running !== undefined && attempt?.key === running) {
          if (each.do === 'fail') hippo.fail('build', running);
          else {
            const version = versionIn(attempt.model);
            ended.add(version);
            const metrics = each.accuracy === null ? {} : { accuracy: each.accuracy };
            hippo.exit('build', running, {
              status: 'succeeded',
              result: { model: { name: 'iris', version, metrics } },
            });
          }
        }
        const state = stateOf(hippo);
        const names = versions(hippo);
        if (state === undefined) continue;
        if (state.serving !== null) expect(names).toContain(state.serving);
        if (state.previous !== null) expect(names).toContain(state.previous);
        expect(names.filter((name) => state.retired.includes(name))).toEqual([]);
      }
      const told = hippo.models.filter(
        (message): message is NewModel => 'jobId' in message && !('by' in message),
      );
      expect(told.map(({ version }) => version)).toEqual([...ended]);
      const pointers = hippo.models.filter((message): message is NewModel => 'serving' in message);
      expect(pointers.at(-1)?.serving?.version ?? null).toBe(stateOf(hippo)?.serving ?? null);
    }),
  );
});

describe('models of hippo.yaml', () => {
  const problems = (models: object, jobs: object = JOBS): CompileProblem[] => {
    const result = compiled(jobs as typeof JOBS, { models: models as typeof MODELS, services: SERVICES });
    return result.ok ? [] : result.problems;
  };
  const iris = { builder: 'build', location: 'm' };

  test.each<[string, object, object | undefined, CompileProblem]>([
    [
      'no such job',
      { iris: { ...iris, builder: 'biuld' } },
      undefined,
      { path: ['models', 'iris', 'builder'], message: 'there is no job biuld', allowed: 'build' },
    ],
    [
      'no such service',
      { iris: { ...iris, service: ['api', 'web'] } },
      undefined,
      { path: ['models', 'iris', 'service'], message: 'there is no service web', allowed: 'api' },
    ],
    [
      'a job that builds two',
      { iris, movies: iris },
      undefined,
      {
        path: ['models', 'movies', 'builder'],
        message: 'the job build builds iris already',
        allowed: 'a job for each model',
      },
    ],
    [
      'a builder that each NEW_MODEL would start',
      { iris },
      { build: { needs: [{ topic: 'model' }] } },
      {
        path: ['models', 'iris', 'builder'],
        message:
          'the job build needs any message on the topic of models: each NEW_MODEL would start it again',
        allowed: 'BUILD_MODEL runs it without such a need; or a need with `where`',
      },
    ],
    [
      'HDFS without WebHDFS',
      { iris: { ...iris, location: 'hdfs://nn:9000/m' } },
      undefined,
      {
        path: ['models', 'iris', 'location'],
        message: 'hdfs is missing, which says where WebHDFS answers: services read versions by it',
        allowed: "hdfs: { webhdfs: ['http://namenode:9870'] } beside it",
      },
    ],
    [
      'settings of S3 for a folder',
      { iris: { ...iris, s3: {} } },
      undefined,
      {
        path: ['models', 'iris', 's3'],
        message: 'the location is not in S3',
        allowed: 's3 beside a location such as s3a://bucket/models',
      },
    ],
  ])('%s', (_, models, jobs, problem) => {
    expect(problems(models, jobs)).toEqual([problem]);
  });

  it('may share a service', () => {
    expect(
      problems(
        { iris: { ...iris, service: 'api' }, movies: { ...iris, builder: 'other', service: 'api' } },
        { build: {}, other: {} },
      ),
    ).toEqual([]);
  });
});
