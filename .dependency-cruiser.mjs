/** The arrows of the architecture: left may import right, never back. `npm run lint` enforces them. */
const LAYERS = {
  commands: [
    'ui',
    'doctor',
    'tractor',
    'job',
    'replay',
    'simulate',
    'trigger',
    'tail',
    'scaffold',
    'stack',
    'client',
    'kafka',
    'messages',
    'config',
    'core',
  ],
  tractor: ['doctor', 'job', 'client', 'kafka', 'messages', 'config', 'core'],
  doctor: ['stack', 'client', 'kafka', 'messages', 'config', 'core'],
  job: ['trigger', 'client', 'kafka', 'messages', 'config', 'core'],
  replay: ['tail', 'kafka', 'messages', 'config', 'core'],
  simulate: ['tail', 'client', 'kafka', 'messages', 'config', 'core'],
  trigger: ['tail', 'client', 'kafka', 'messages', 'config', 'core'],
  tail: ['kafka', 'messages', 'config', 'core'],
  scaffold: ['config', 'messages', 'core'],
  stack: ['kafka', 'messages', 'config', 'core'],
  client: ['kafka', 'messages', 'config', 'core'],
  kafka: ['config', 'messages', 'core'],
  config: ['messages', 'core'],
  messages: ['core'],
  core: [],
};

const arrows = Object.entries(LAYERS).map(([layer, allowed]) => ({
  name: `${layer}-imports-only-its-right`,
  comment: `${layer} may import ${allowed.join(', ') || 'nothing else of src'}.`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^src/', pathNot: `^src/(${[layer, ...allowed].join('|')}|version)(/|\\.ts)` },
}));

export default {
  forbidden: [
    ...arrows,
    {
      name: 'ui-knows-result-types-only',
      comment: 'ui renders data that services return; it calls no service.',
      severity: 'error',
      from: { path: '^src/ui/' },
      to: { path: '^src/', pathNot: '^src/(ui|core|messages)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'machine-is-pure',
      comment: 'client/machine computes; client/host executes.',
      severity: 'error',
      from: { path: '^src/client/machine/' },
      to: {
        path: '^src/',
        pathNot: '^src/(client/machine/|messages/|core/(clock|duration|json|shell)\\.ts)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'no-node-in-pure-code',
      severity: 'error',
      from: { path: '^src/(client/machine|messages)/' },
      to: { dependencyTypes: ['core'] },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '^src/(commands|index)|\\.d\\.ts$' },
      to: {},
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
