/** The arrows of the architecture: left may import right, never back. `npm run lint` enforces them. */
const BASE = ['kafka', 'messages', 'config', 'windows', 'core'];
const SERVICES = [
  'alerts',
  'doctor',
  'tractor',
  'job',
  'model',
  'replay',
  'simulate',
  'landings',
  'trigger',
  'tail',
  'scaffold',
  'stack',
  'serve',
];
const LAYERS = {
  commands: ['ui', ...SERVICES, 'client', 'observe', 'records', 'state', ...BASE],
  tractor: ['doctor', 'job', 'trigger', 'observe', 'client', 'records', 'state', ...BASE],
  doctor: ['alerts', 'stack', 'landings', 'observe', 'client', 'sources', 'records', 'state', ...BASE],
  job: ['trigger', 'observe', 'client', 'records', 'state', ...BASE],
  model: ['job', 'observe', 'state', ...BASE],
  landings: ['job', 'client', 'sources', 'state', ...BASE],
  replay: ['observe', 'client', 'records', ...BASE],
  simulate: ['observe', 'client', 'records', 'state', 'conditions', ...BASE],
  trigger: ['observe', 'client', 'records', 'state', ...BASE],
  tail: ['observe', 'records', ...BASE],
  scaffold: ['windows', 'config', 'messages', 'core'],
  stack: BASE,
  observe: ['state', 'records', ...BASE],
  client: ['alerts', 'state', 'sources', 'http', 'conditions', ...BASE],
  alerts: ['state', ...BASE],
  serve: ['predict', 'query', 'http', 'config', 'core'],
  predict: ['sources', 'core'],
  query: ['http', 'kafka', 'messages', 'config', 'core'],
  sources: ['messages', 'config', 'core'],
  records: ['conditions', ...BASE],
  state: BASE,
  http: ['core'],
  windows: ['core'],
  conditions: ['core'],
  kafka: ['config', 'messages', 'core'],
  config: ['messages', 'windows', 'core'],
  messages: ['core'],
  core: [],
};

/**
 * Folders that other folders import by these files only. An index is loaded whole (in the bundled CLI too), so that a part
 * which has to stay light, or is loaded by few commands, has an entry of its own.
 */
const ROOMS = {
  records: ['index', 'reading'],
  observe: ['index'],
  state: ['index', 'reader'],
  windows: ['index', 'units'],
  sources: ['index', 'files'],
  predict: ['index'],
  query: ['index'],
  conditions: ['index', 'record'],
  http: ['index', 'app/index'],
  'kafka/wire': ['index'],
  'core/environment': ['index'],
};

const entries = Object.entries(ROOMS).map(([room, files]) => ({
  name: `${room.replace('/', '-')}-by-its-index`,
  comment: `Import ${files.map((file) => `src/${room}/${file}.ts`).join(' or ')}; the other files of src/${room} are its own.`,
  severity: 'error',
  from: { pathNot: `^src/${room}/` },
  to: { path: `^src/${room}/`, pathNot: `^src/${room}/(${files.join('|')})\\.ts$` },
}));

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
    ...entries,
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
        pathNot:
          '^src/(client/machine/|messages/|windows/|state/index\\.ts|core/(backoff|circular|clock|duration|json|listed|record-ref|shell)\\.ts)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'state-index-is-pure',
      comment: 'client/machine imports state/index.ts; only state/reader.ts reads the topic.',
      severity: 'error',
      from: { path: '^src/state/', pathNot: '^src/state/reader\\.ts$' },
      to: {
        path: '^src/',
        pathNot: '^src/(state/(?!reader)|messages/|core/(json|record-ref)\\.ts)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'no-node-in-pure-code',
      severity: 'error',
      from: { path: '^src/(client/machine|messages|windows|state|conditions)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'wire-only-inside-kafka',
      comment: 'src/kafka/wire speaks the protocol; everything else uses src/kafka/port.ts.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/kafka/' },
      to: { path: '^src/kafka/wire/' },
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
