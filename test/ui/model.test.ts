import { describe, expect, it, test } from 'vitest';
import { ExitCode } from '../../src/core/errors.ts';
import type { BuildReport } from '../../src/model/build.ts';
import type { PromoteReport } from '../../src/model/promote.ts';
import type { InstanceReport, ModelReport, VersionReport } from '../../src/model/watch.ts';
import {
  buildVerdict,
  promoteVerdict,
  renderBuilt,
  renderModel,
  renderModels,
  renderPromoted,
  renderSent,
} from '../../src/ui/model.ts';

const NOW = Date.UTC(2026, 10, 29);
const [OLD, NEW] = ['20261127T081500Z-61fd04', '20261128T234539Z-d2680d'];

const version = (name: string, accuracy: number, more: Partial<VersionReport> = {}): VersionReport => ({
  version: name,
  built_at: '2026-11-28T23:45:39.000Z',
  job_id: 'build_1',
  metrics: { accuracy, f1: 0.956_789 },
  rows: 120,
  parent: null,
  promoted: true,
  why: 'accuracy is 0.97, and that of v1 is 0.96; higher is better, and it may be worse by 0.01',
  serving: false,
  ...more,
});
const instance = (more: Partial<InstanceReport> = {}): InstanceReport => ({
  service: 'api',
  host: '10.0.0.7',
  pid: 4711,
  role: 'owner',
  status: 'ready',
  version: OLD,
  seen: null,
  ...more,
});
const MODEL: ModelReport = {
  hippo: 'flowers',
  model: 'iris',
  serving: OLD,
  previous: NEW,
  since: '2026-11-28T22:00:00.000Z',
  by: 'ann@desk',
  reason: 'odd predictions',
  versions: [
    version('20261128T235000Z-aaaaaa', 0.5, { promoted: false }),
    version(NEW, 0.97),
    version(OLD, 0.96, { serving: true, metrics: { accuracy: 0.96 }, rows: null }),
  ],
  retired: ['20261101T000000Z-bbbbbb'],
  instances: [
    instance(),
    instance({ role: 'standby', version: NEW }),
    instance({ version: null, status: 'starting' }),
  ],
};

describe('a model', () => {
  it('is shown with its versions side by side, and what each service serves', () => {
    expect(renderModel(MODEL, NOW)).toBe(
      [
        `flowers/iris  ${OLD} serves for 2 h, by ann@desk: odd predictions`,
        '',
        '     version                  accuracy      f1  rows',
        '     20261128T235000Z-aaaaaa       0.5  0.9568   120  not promoted',
        `     ${NEW}      0.97  0.9568   120  served before`,
        `  ●  ${OLD}      0.96       -     -  serves`,
        '  1 retired version: the next build removes their folders',
        '',
        `  ✓ api ${OLD} (10.0.0.7, pid 4711, owner)`,
        `  · api ${NEW} (10.0.0.7, pid 4711, standby)`,
        '  · api no version (starting) (10.0.0.7, pid 4711, owner)',
      ].join('\n'),
    );
  });

  it('fits 80 columns, however many metrics it has', () => {
    const metrics = Object.fromEntries(
      ['accuracy', 'precision', 'recall', 'f1'].map((name) => [name, 0.123_456]),
    );
    const wide = { ...MODEL, versions: [version(NEW, 1, { metrics })], by: null };
    for (const line of renderModel(wide, NOW).split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('that has no version says so; no model, too', () => {
    const bare = { ...MODEL, serving: null, since: null, by: null, versions: [], retired: [], instances: [] };
    expect(renderModels({ hippo: 'flowers', models: [bare] }, NOW)).toBe('flowers/iris  no version yet');
    expect(renderModels({ hippo: 'flowers', models: [] }, NOW)).toBe('flowers has no model');
    expect(renderModels({ hippo: null, models: [] }, NOW)).toBe('no hippo has a model');
  });
});

const SENT = {
  hippo: 'flowers',
  model: 'iris',
  params: { reg_param: 0.1 },
  by: 'ann@desk',
  reason: null,
  record: { topic: 'hippo-model', partition: 0, offset: '3', value: '{}' },
  clients: 1,
};
const built = (more: Partial<BuildReport>): BuildReport => ({
  ...SENT,
  outcome: 'promoted',
  run: { job: 'build', run_key: 'k', job_id: 'build_1', status: 'succeeded', error: null },
  version: version(NEW, 0.97),
  serving: { version: OLD, metrics: { accuracy: 0.96 } },
  ...more,
});

test('what was asked for, and that no client takes it', () => {
  expect(renderSent(SENT)).toBe(
    '✓ Asked: BUILD_MODEL flowers/iris reg_param=0.1 (ann@desk)\n  topic hippo-model, partition 0, offset 3',
  );
  expect(renderSent({ ...SENT, clients: 0 })).toContain('! No client of flowers is running');
});

test.each<[BuildReport['outcome'], Partial<BuildReport>, string[], ExitCode]>([
  [null, {}, [''], ExitCode.ok],
  [
    'promoted',
    {},
    [`✓ flowers/iris ${NEW} promoted`, 'accuracy is 0.97, and that of v1 is 0.96'],
    ExitCode.ok,
  ],
  [
    'not-promoted',
    {},
    [
      `! flowers/iris ${NEW} not promoted`,
      `${OLD} goes on serving`,
      `hippo model promote flowers/iris ${NEW}`,
    ],
    ExitCode.ok,
  ],
  [
    'failed',
    {
      run: { job: 'build', run_key: 'k', job_id: 'b', status: 'failed', error: 'exit code 3' },
      version: null,
    },
    ['✗ flowers/iris was not built: build k failed', 'exit code 3'],
    ExitCode.notFine,
  ],
  ['refused', { run: null }, ['has read the message, and started nothing'], ExitCode.notFine],
  ['timed-out', { run: null }, ['Timed out: flowers has not started a build'], ExitCode.timeout],
])('a build that is %s', (outcome, more, texts, code) => {
  const report = built({ outcome, ...more });
  for (const text of texts) expect(renderBuilt(report)).toContain(text);
  expect(buildVerdict(report)).toBe(code);
});

const PROMOTED: PromoteReport = {
  ...{ hippo: 'flowers', model: 'iris', version: OLD, before: NEW, by: 'ann', reason: 'odd predictions' },
  ...{ record: SENT.record, clients: 1, outcome: 'moved', serving: OLD, instances: [instance()] },
};

test('a rollback says which services have followed', () => {
  expect(renderPromoted(PROMOTED)).toBe(
    [
      `✓ flowers/iris serves ${OLD} (ann: odd predictions)`,
      `  before: ${NEW}`,
      `  ✓ api ${OLD} (10.0.0.7, pid 4711, owner)`,
    ].join('\n'),
  );
  expect(promoteVerdict(PROMOTED)).toBe(ExitCode.ok);
});

test('a promotion that did not happen says why', () => {
  const refused: PromoteReport = { ...PROMOTED, outcome: 'refused', serving: NEW };
  expect(renderPromoted(refused)).toContain(`did not promote ${OLD}`);
  expect(promoteVerdict(refused)).toBe(ExitCode.notFine);
  const alone: PromoteReport = { ...PROMOTED, outcome: 'timed-out', clients: 0 };
  expect(renderPromoted(alone)).toContain('No client of flowers is running');
  expect(promoteVerdict(alone)).toBe(ExitCode.timeout);
});
