import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Packages that only one place may import, with all their modules: [package, the place that may, what to use instead]. */
const OWNED = [
  ['kafkajs', 'src/kafka/wire', 'src/kafka/port.ts, or inside src/kafka: src/kafka/wire/index.ts'],
  ['execa', 'src/core/exec.ts', 'src/core/exec.ts'],
  ['chalk', 'src/ui', 'src/ui'],
  ['listr2', 'src/ui', 'src/ui'],
  ['@oclif/core', 'src/ui/oclif.ts', 'src/ui/oclif.ts'],
];

/** Forbids the imports of these packages. */
const restricted = (owned) => [
  'error',
  {
    patterns: owned.map(([name, , instead]) => ({
      regex: `^${name}(/|$)`,
      message: `Use ${instead}.`,
      allowTypeImports: false,
    })),
  },
];

const LOSSY_PARSE = {
  object: 'JSON',
  property: 'parse',
  message:
    'It changes the digits of numbers: use parseJson of src/core/json.ts, or parsePlainJson where nothing is passed on.',
};

export default tseslint.config(
  {
    ignores: ['dist/**', 'templates/**', 'node_modules/**', '.hippo/**', 'coverage/**'],
  },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': restricted(OWNED),
      // More are passed as an object: a call then says what each is.
      '@typescript-eslint/max-params': ['error', { max: 4 }],
    },
  },
  {
    // A command parses its flags, calls one service and hands the result to ui.
    files: ['src/commands/**/*.ts'],
    rules: { 'max-lines': ['error', { max: 60, skipBlankLines: true }] },
  },
  ...OWNED.map(([owned, place]) => ({
    files: [place.endsWith('.ts') ? place : `${place}/**/*.ts`],
    rules: {
      '@typescript-eslint/no-restricted-imports': restricted(
        OWNED.filter(([name, where]) => name !== owned && where !== place),
      ),
    },
  })),
  {
    files: ['src/**/*.ts'],
    ignores: ['src/core/json.ts'],
    rules: { 'no-restricted-properties': ['error', LOSSY_PARSE] },
  },
  {
    // messages, windows and the machine are pure: nothing of Node, no clock, no randomness.
    files: ['src/messages/**/*.ts', 'src/client/machine/**/*.ts', 'src/windows/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        'process',
        'Buffer',
        'setTimeout',
        'setInterval',
        'fetch',
        'console',
      ],
      'no-restricted-properties': [
        'error',
        LOSSY_PARSE,
        { object: 'Date', property: 'now', message: 'Time comes only from events.' },
        { object: 'Math', property: 'random', message: 'The machine is deterministic.' },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'scripts/**', 'bench/**/*.ts', 'demo/**/*.ts'],
    rules: {
      'no-console': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      parserOptions: { projectService: false },
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly' },
    },
  },
);
