import type { LoadedConfig } from '../../config/load.ts';
import { readStackFile } from '../../config/stack-file.ts';
import { HippoError } from '../../core/errors.ts';
import { type Check, type Finding, error, ok, skipped, warning } from '../check.ts';
import { sentence } from '../runner.ts';

const UP = { commands: ['hippo up'] };

/** What `stack` of hippo.yaml names besides Kafka: the PostgreSQL answers, the jars are there. */
export const stack: Check = {
  id: 'stack',
  title: 'Stack',
  category: 'machine',
  about: 'stack.with and stack.jars: PostgreSQL answers, jars there',
  async run({ project, env }) {
    if (project.state !== 'loaded') return skipped('There is no hippo.yaml here or above with a stack');
    const { stack: wanted } = project.loaded.config;
    const findings = [
      ...(wanted.with.includes('postgres') ? [await findPostgres(project.loaded, env)] : []),
      ...(wanted.jars.length > 0 ? [await findJars(project.loaded)] : []),
    ];
    if (findings.length === 0) return skipped('hippo.yaml has neither stack.with nor stack.jars');
    return { summary: [...wanted.with, ...jarCount(wanted.jars)].join(', '), findings };
  },
};

function jarCount({ length }: readonly string[]): string[] {
  return length === 0 ? [] : [`${length} jar${length === 1 ? '' : 's'}`];
}

async function findPostgres({ environment }: LoadedConfig, env: NodeJS.ProcessEnv): Promise<Finding> {
  const { askDatabase, configuredDatabase } = await import('../../stack/postgres/configured.ts');
  const { DATABASE_URL } = await import('../../stack/record.ts');
  const own = env[DATABASE_URL] ?? '';
  const url = own === '' ? environment[DATABASE_URL] : own;
  if (url === undefined) return error('No PostgreSQL runs here, and $DATABASE_URL is not set', UP);
  try {
    const database = configuredDatabase(url);
    const from = own === '' ? 'the local stack' : `$${DATABASE_URL}`;
    return ok(`PostgreSQL ${await askDatabase(database)} answers at ${database.place} (${from})`);
  } catch (thrown) {
    if (!(thrown instanceof HippoError)) throw thrown;
    return error(sentence(thrown), own === '' ? UP : { commands: thrown.next });
  }
}

async function findJars({ directory, config }: LoadedConfig): Promise<Finding> {
  const [{ jarPath, missingJars }, { stackPlace }] = await Promise.all([
    import('../../stack/jars.ts'),
    import('../../stack/place.ts'),
  ]);
  const { jars } = config.stack;
  const missing = missingJars(jars);
  if (missing.length > 0) return warning(`Jars of stack.jars are not fetched: ${missing.join(', ')}`, UP);
  const noted = readStackFile(stackPlace(directory).directory)?.sparkJars;
  if (noted === jars.map(jarPath).join(',')) return ok(`Jars: ${jars.join(', ')}`);
  return warning('The jars of stack.jars are not those in .hippo/stack.json', UP);
}
