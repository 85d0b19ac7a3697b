import { basename, relative } from 'node:path';
import chalk from 'chalk';
import type { DownPlan, DownResult } from '../stack/down.ts';
import type { UpPlan, UpResult } from '../stack/up.ts';
import { describePlace } from './errors.ts';
import { tilde, wrap } from './text.ts';

/** What to type once Kafka is there: first in a project, or outside of any, and then everywhere. */
const firstNext = ({
  start_client: start,
  then,
}: Pick<UpResult, 'start_client' | 'then'>): (readonly [command: string, why: string])[] =>
  start === null
    ? [
        ['hippo new batch-etl NAME', 'a hippo of your own'],
        ['hippo trigger --table db.table', 'say that a table has landed'],
      ]
    : [
        [start, 'in a second terminal: the client of this project'],
        ...(then === null ? [] : [[then.command, THEN[then.about]] as const]),
      ];
const THEN: Readonly<Record<NonNullable<UpResult['then']>['about'], string>> = {
  tables: 'say that what it waits for has landed',
  job: 'run its job now',
  sources: 'what its sources have found',
};
const NEXT: readonly [command: string, why: string][] = [
  ['hippo tail', 'see the events as they come'],
  ['hippo doctor', 'is anything missing?'],
];

/** How the stack is now, and what to type next. */
export function renderUp(result: UpResult | UpPlan): string {
  if ('dry_run' in result) {
    return result.steps
      .map(({ title, skip }) => `${title}${skip === null ? '' : chalk.dim(` (${skip})`)}`)
      .join('\n');
  }
  return [
    ...(result.kafka === null ? configuredLines(result) : localLines(result, result.kafka)),
    ...postgresLines(result),
    ...nextLines(result),
  ].join('\n');
}

function localLines(result: UpResult, kafka: NonNullable<UpResult['kafka']>): string[] {
  const { started, directory } = result;
  return [
    `${chalk.green('✓')} Kafka ${kafka.version} is ${started ? '' : 'already '}up at ${chalk.bold(result.brokers.join(', '))}`,
    ...topicLines(result),
    ...sparkLines(result),
    ...wrap(`${here(kafka.data)} (log: ${here(kafka.log)})`, '  data    '),
    ...wrap(tilde(directory), '  project '),
    ...jarLines(result),
  ];
}

function jarLines({ spark_jars: jars }: UpResult): string[] {
  return jars.length === 0 ? [] : wrap(jars.map((jar) => basename(jar)).join(', '), '  jars    ');
}

function postgresLines({ postgres }: UpResult): string[] {
  if (postgres === null) return [];
  if (postgres.from === 'environment') {
    const said = `${chalk.green('✓')} PostgreSQL ${postgres.version} answers at ${chalk.bold(postgres.place)}`;
    return [said, ...wrap(`$${postgres.variable} is set, so none is started`, '  from    ')];
  }
  return [
    `${chalk.green('✓')} PostgreSQL ${postgres.version} is ${postgres.started ? '' : 'already '}up at ${chalk.bold(postgres.place)}`,
    ...wrap(
      '$DATABASE_URL in jobs, services and hippo.yaml; the password is in .hippo/stack.json',
      '  url     ',
    ),
    ...wrap(`${here(postgres.data)} (log: ${here(postgres.log)})`, '  data    '),
  ];
}

function configuredLines(result: UpResult): string[] {
  const what = result.postgres === null ? 'Nothing to start' : 'No Kafka to start';
  return [
    `${chalk.green('✓')} ${what}: the brokers are configured`,
    ...wrap(`${result.brokers.join(', ')} (${originText(result.configured)})`, '  brokers '),
    ...topicLines(result),
    ...(result.spark_jars.length > 0 ? sparkLines(result) : []),
    ...jarLines(result),
  ];
}

function sparkLines({ spark }: UpResult): string[] {
  const place = spark === null ? null : `${spark.version}, ${tilde(spark.submit)}`;
  return wrap(place ?? 'none; hippo up without --no-spark fetches it', '  spark   ');
}

function originText(origin: UpResult['configured']): string {
  switch (origin?.from) {
    case 'environment':
      return `$${origin.variable}`;
    case 'configuration':
      return describePlace(origin.place);
    case 'stack':
      return origin.file;
    case undefined:
      return 'configured';
  }
}

function topicLines({ topics: { created, present } }: UpResult): string[] {
  if (created.length === 0) return [`  topics  all ${present.length} are there`];
  return wrap(`${created.length} created: ${created.join(', ')}`, '  topics  ');
}

function nextLines(result: UpResult): string[] {
  const { configured, postgres } = result;
  const down = [['hippo down', 'stop it; the data stay'] as const];
  const isLocal = configured === null || postgres?.from === 'stack';
  const lines = [...firstNext(result), ...NEXT, ...(isLocal ? down : [])];
  const width = Math.max(...lines.map(([command]) => command.length));
  return ['', 'Next:', ...lines.map(([command, why]) => `  ${chalk.cyan(command.padEnd(width))}  ${why}`)];
}

/** What `hippo down` did, and what it left. */
export function renderDown(result: DownResult | DownPlan): string {
  if ('dry_run' in result) return result.steps.join('\n');
  const { outcome, kafka, postgres, clients, problem } = result;
  if (outcome === 'declined') return 'Nothing was changed.';
  const said = {
    gone: 'Nothing to stop: no local Kafka runs here',
    stopped: `Kafka is down (it was at 127.0.0.1:${kafka?.port ?? ''})`,
    killed: `Kafka did not stop in time and was killed; its next start checks the data`,
  }[outcome];
  const isAboutKafka = outcome !== 'gone' || postgres === null;
  const lines = isAboutKafka
    ? [`${outcome === 'killed' ? chalk.yellow('!') : chalk.green('✓')} ${said}`]
    : [];
  if (postgres !== null) lines.push(postgresDown(postgres));
  if (problem !== null) {
    lines.push(...wrap(`${problem}; that did not matter here. See hippo config.`, `${chalk.yellow('!')} `));
  }
  if (clients.length > 0) {
    const names = [...new Set(clients.map(({ hippo }) => hippo))].join(', ');
    const text = `still running, and waiting for Kafka to come back: the client of ${names}. Stop it with Ctrl-C in its terminal.`;
    lines.push(...wrap(text, `${chalk.yellow('!')} `));
  }
  const data = [result.data, result.postgres_data].flatMap((folder) =>
    folder === null ? [] : [here(folder)],
  );
  if (data.length > 0)
    lines.push(...wrap(`The data stay in ${data.join(' and ')}; hippo down --purge removes them.`, '  '));
  return lines.join('\n');
}

function postgresDown({ outcome, port }: NonNullable<DownResult['postgres']>): string {
  return outcome === 'killed'
    ? `${chalk.yellow('!')} PostgreSQL did not stop in time and was killed; its next start recovers`
    : `${chalk.green('✓')} PostgreSQL is down (it was at 127.0.0.1:${port})`;
}

/** A path as seen from here where that is shorter. */
function here(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? tilde(path) : fromHere;
}
