import { expect, test } from 'vitest';
import { startScripts } from '../../../src/doctor/checks/start-scripts.ts';
import { type Machine, lines, never, newMachine } from '../machine.ts';

const YAML = 'name: etl\njobs:\n  load:\n    needs:\n      - table: btd.party\n';
const GOOD = '#!/bin/sh\nexec true\n';

async function examine(machine: Machine): Promise<string[]> {
  await machine.file('hippo.yaml', YAML);
  // The shell that the check asks comes from PATH; this machine's will do.
  const environment = await machine.environment({ PATH: process.env['PATH'] });
  return lines(await startScripts.run(environment, never)).map((line) =>
    line.replaceAll(machine.directory, 'DIR'),
  );
}

test.each([
  { text: GOOD, mode: 0o755, found: 'ok: start-spark.sh' },
  { text: '#!/usr/bin/env -S bash -e\necho\n', mode: 0o755, found: 'ok: start-spark.sh' },
  { text: '#!/usr/bin/env python3\nprint(1)\n', mode: 0o755, found: 'ok: start-spark.sh' },
  { text: '\u007fELF\0\0', mode: 0o755, found: 'ok: start-spark.sh' },
  { text: GOOD, mode: 0o644, found: 'error: start-spark.sh is not executable: job load cannot start' },
  {
    text: 'exec true\n',
    mode: 0o755,
    found: 'error: start-spark.sh does not begin with #!: the system does not know what runs it',
  },
  {
    text: '#!/bin/sh\r\nexec true\r\n',
    mode: 0o755,
    found: 'error: start-spark.sh has Windows line ends: its interpreter is not found',
  },
  {
    text: '\u{feff}#!/bin/sh\nexec true\n',
    mode: 0o755,
    found: 'error: start-spark.sh begins with a byte order mark: the system does not see its #!',
  },
  {
    text: Buffer.from('\u{feff}#!/bin/sh\n', 'utf16le'),
    mode: 0o755,
    found: 'error: start-spark.sh is UTF-16: the system cannot start it',
  },
  {
    text: '#!/usr/bin/env pythom3\n',
    mode: 0o755,
    found: 'error: start-spark.sh begins with #!/usr/bin/env pythom3, and there is no pythom3',
  },
  {
    text: '#!/bin/bash\nif true; then\n',
    mode: 0o755,
    found:
      'error: start-spark.sh has a syntax error: DIR/start-spark.sh: line 3: syntax error: unexpected end of file',
  },
])('$found', async ({ text, mode, found }) => {
  await using machine = await newMachine();
  await machine.file('start-client.sh', GOOD, 0o755);
  await machine.file('start-spark.sh', text, mode);
  const [client, spark] = await examine(machine);
  expect(client).toBe('ok: start-client.sh');
  expect(spark?.startsWith(found)).toBe(true);
});

test('scripts that are missing: a job cannot do without, a client can', async () => {
  await using machine = await newMachine();
  expect(await examine(machine)).toEqual([
    'warning: start-client.sh is missing: the supervisor cannot start',
    'error: start-spark.sh is missing: job load cannot start',
  ]);
});

test('outside a project there is nothing to look at', async () => {
  await using machine = await newMachine();
  const diagnosis = await startScripts.run(await machine.environment(), never);
  expect(lines(diagnosis)).toEqual([
    'skipped: There is no hippo.yaml here or above: this is no hippo project',
  ]);
});
