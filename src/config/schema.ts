import * as z from 'zod';
import { DURATION_FORM, parseDuration } from '../core/duration.ts';
import { FRONTIER_DIALECTS } from '../messages/types.ts';

/** Names go into topics, file names, YARN tags and argv: letters, digits, dot, dash, underscore; no leading dash or dot. */
export const NAME_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;
export const NAME_FORM = 'letters, digits, ".", "-" and "_", not beginning with "-" or ".", at most 100';

export const BROKER_PATTERN = /^(\[[\da-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/;
export const BROKER_FORM = 'host:port';

const name = z.string().regex(NAME_PATTERN, `must be ${NAME_FORM}`);
const topicName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,249}$/, 'must be a Kafka topic name: letters, digits, ".", "_" and "-"');
const tableName = z
  .string()
  .regex(/^[^.\s/]+\.[^.\s/]+$/, 'must be db.table')
  .describe('A table as db.table, e.g. btd.party');
const jobName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*\/[A-Za-z0-9_][A-Za-z0-9._-]*$/, 'must be hippo/job');

/** A duration in the file (`30s`), milliseconds in the loaded configuration. */
const duration = z
  .union([z.string(), z.number()])
  .transform((value, context) => {
    const millis = parseDuration(String(value));
    if (millis !== undefined) return millis;
    context.addIssue({ code: 'custom', message: `must be ${DURATION_FORM}` });
    return z.NEVER;
  })
  .describe(`${DURATION_FORM}; a bare number is seconds`)
  .meta({ 'x-unit': 'ms' });

/** Text, or what YAML reads as a number or a boolean but means the same here (`yyyymm: 201704`). */
const scalarText = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** Never printed, by any command. */
const secret = z.string().meta({ writeOnly: true });

/** A list as one text, as environment variables have it. */
function commaSeparated<T extends z.ZodType<string, string>>(item: T) {
  return z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item));
}

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as "22:00"');

/** Partition level name → template of the value, e.g. `{ yyyymm: "{{ window | date: '%Y%m' }}" }`. */
const partitionTemplate = z
  .record(z.string(), scalarText)
  .describe(
    "Level name to the value expected: a template of the window's date, e.g. yyyymm: \"{{ window | date: '%Y%m' }}\". " +
      'Left out: any partition (every: event), or an unpartitioned table.',
  );

const tableNeed = z.strictObject({ table: tableName, partition: partitionTemplate.optional() });
const jobNeed = z.strictObject({
  job: jobName.describe("Another hippo's job as hippo/job: satisfied by its successful finish"),
  key: z.string().optional().describe("Template of that run's key; left out: the run of the same window"),
});
const singleNeed = z.union([tableNeed, jobNeed]);
const anyOf = z.strictObject({ any_of: z.array(singleNeed).min(1) });
const atLeast = z.strictObject({ at_least: z.int().min(1), of: z.array(singleNeed).min(1) });
/** One need stands for one member of the set for each value: `{ each: { region: [us, eu] }, table: …, partition: { region: "{{ region }}" } }`. */
const eachOf = z.strictObject({
  each: z.record(z.string(), z.array(scalarText).min(1)),
  at_least: z.int().min(1).optional(),
  table: tableName,
  partition: partitionTemplate,
});
const need = z.union([tableNeed, jobNeed, anyOf, atLeast, eachOf]);

const retries = z.strictObject({
  attempts: z.int().min(0).max(100).default(0).describe('Further attempts after the first one fails'),
  backoff: duration.prefault('30s').describe('Pause before the first further attempt; doubles each time'),
  max_backoff: duration.prefault('30m'),
});

const job = z.strictObject({
  every: z.enum(['event', 'hour', 'day', 'month']).default('event'),
  needs: z.array(need).min(1),
  run: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .default('./start-spark.sh')
    .describe('The program to run, as a path or as program and arguments; no shell reads it'),
  args: z
    .array(scalarText)
    .default([])
    .describe("Further arguments: templates of the window and the needs' partitions"),
  env: z.record(z.string(), scalarText).default({}),
  timeout: duration.optional().describe('An attempt that runs for longer is killed and counts as failed'),
  deadline: duration
    .optional()
    .describe("Alert when a window's run has not succeeded this long after the window's end"),
  give_up: duration
    .optional()
    .describe(
      'A window whose needs are not complete this long after its end times out; left out: it waits as long as state is kept',
    ),
  retries: retries.prefault({}),
  concurrency: z.int().min(1).default(1).describe('How many runs of this job may be active at once'),
  on_reland: z
    .enum(['rerun', 'hold', 'ignore'])
    .default('rerun')
    .describe('What a newer landing of an input does after the run has fired'),
  while_paused: z
    .enum(['keep', 'drop'])
    .default('keep')
    .describe('What a pause does with the runs that become ready'),
  result: z
    .enum(['optional', 'required'])
    .default('optional')
    .describe(
      'required: exit code 0 without a result in $HIPPO_RESULT_FILE counts as failed. ' +
        'Not asked for in YARN cluster mode, where the resource manager has the last word',
    ),
});

const saslMechanisms = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] as const;

/** An address goes into errors and logs: credentials have no place in it. */
const resourceManager = z
  .string()
  .regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#@]*)?$/, 'must be http://host:port or https://host:port');

const yarn = z.strictObject({
  resource_managers: z
    .union([z.array(resourceManager).min(1), commaSeparated(resourceManager)])
    .optional()
    .describe(
      'http://host:8088 of the resource manager, of both where there are two. Spark jobs then run on YARN: ' +
        'they get SPARK_MASTER=yarn unless something else is set. $HIPPO_YARN_RM overrides it',
    ),
  deploy_mode: z
    .enum(['cluster', 'client'])
    .default('cluster')
    .describe(
      "Where a job's driver runs. cluster: on YARN, and the resource manager says how it ended; " +
        'client: in the process that the client starts, whose exit code counts',
    ),
  user: z
    .string()
    .regex(NAME_PATTERN, `must be ${NAME_FORM}`)
    .optional()
    .describe('Who asks (user.name); left out: $HADOOP_USER_NAME, else the user that runs the client'),
  request_timeout: duration.prefault('10s').describe('How long one request to a resource manager may take'),
  give_up: duration
    .prefault('30m')
    .describe(
      'An attempt of which no resource manager has told anything for so long counts as failed; ' +
        'no other attempt starts before one has told that it is dead',
    ),
});

const broker = z.string().regex(BROKER_PATTERN, `must be ${BROKER_FORM}`);

const sasl = z.strictObject({
  mechanism: z.enum(saslMechanisms),
  username: z.string().optional(),
  password: secret.optional(),
  password_file: z
    .string()
    .optional()
    .describe('A file with the password, read again for each new connection; relative to hippo.yaml'),
  token: secret.optional().describe('For oauthbearer'),
  token_file: z
    .string()
    .optional()
    .describe('A file with the token, read again for each new connection; relative to hippo.yaml'),
});

const tls = z.strictObject({
  ca_file: z
    .string()
    .optional()
    .describe("PEM: the broker's authority; left out: those that this machine trusts"),
  cert_file: z.string().optional().describe('PEM: our certificate, where the broker wants one'),
  key_file: z.string().optional().describe('PEM: its key'),
  key_passphrase: secret.optional(),
  server_name: z
    .string()
    .optional()
    .describe("A name of the broker's certificate, where kafka.brokers has another"),
});

/** A certificate proves nothing without its key. */
function checkTls({ cert_file, key_file }: z.output<typeof tls>, context: z.RefinementCtx): void {
  if ((cert_file === undefined) === (key_file === undefined)) return;
  const [missing, other] = cert_file === undefined ? ['cert_file', 'key_file'] : ['key_file', 'cert_file'];
  context.addIssue({ code: 'custom', path: [missing], message: `is missing; ${other} needs it` });
}

/** A mechanism without its credentials would fail much later, and less clearly. */
function checkSasl(settings: z.output<typeof sasl>, context: z.RefinementCtx): void {
  const complain = (key: keyof typeof settings, message: string): void =>
    context.addIssue({ code: 'custom', path: [key], message });
  const { mechanism } = settings;
  for (const key of ['password', 'token'] as const) {
    if (settings[key] === undefined || settings[`${key}_file`] === undefined) continue;
    complain(`${key}_file`, `says again what ${key} says; leave one of them out`);
  }
  if (mechanism === 'oauthbearer') {
    if ((settings.token ?? settings.token_file) === undefined)
      complain('token', 'is missing; oauthbearer needs it, or token_file');
    return;
  }
  if (settings.username === undefined) complain('username', `is missing; ${mechanism} needs it`);
  if ((settings.password ?? settings.password_file) === undefined) {
    complain('password', `is missing; ${mechanism} needs it, or password_file`);
  }
}

const kafka = z.strictObject({
  brokers: z
    .union([z.array(broker).min(1), commaSeparated(broker)])
    .optional()
    .describe('host:port, …; left out: the local stack that `hippo up` started'),
  client_id: name.default('hippo'),
  connect_timeout: duration.prefault('5s').describe('How long a dead broker may keep a command waiting'),
  request_timeout: duration.prefault('30s'),
  tls: z.union([z.boolean(), tls.superRefine(checkTls)]).default(false),
  sasl: sasl.superRefine(checkSasl).optional(),
});

const topics = z.strictObject({
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]*$/)
    .default('')
    .describe('Put before each of the names below, e.g. "uat-"'),
  frontier: topicName.default('frontier-adw'),
  start: topicName.default('hippo-start'),
  finish: topicName.default('hippo-finish'),
  schedule: topicName.default('hippo-schedule'),
  health: topicName.default('service-health'),
  state: topicName.default('hippo-state'),
});

const calendar = z.strictObject({
  timezone: z.string().default('UTC').describe('IANA name, e.g. Asia/Taipei'),
  day_starts: clockTime
    .default('00:00')
    .describe('When a day begins; "22:00": what comes after 22:00 counts as the next day\'s'),
});

const client = z.strictObject({
  session_timeout: duration
    .prefault('30s')
    .describe('After this long without a heartbeat a standby takes over'),
  health_interval: duration.prefault('30s'),
  http: z
    .union([
      z.literal(false),
      z.strictObject({ host: z.string().default('127.0.0.1'), port: z.int().min(0).max(65535) }),
    ])
    .default(false)
    .describe('Where /healthz, /readyz and /metrics are served; false: nowhere'),
  on_stop: z
    .enum(['kill', 'detach'])
    .default('kill')
    .describe(
      'What a stop of the client does to running jobs. kill: ends them; the next owner runs them again. ' +
        'detach: leaves YARN applications in cluster mode at work, and the next owner takes them up; ends all others',
    ),
  kill_grace: duration.prefault('10s').describe('Between SIGTERM and SIGKILL to a job'),
  keep: duration.prefault('62d').describe('How long ended runs and landed inputs are remembered'),
  start_from: z
    .enum(['beginning', 'end'])
    .default('beginning')
    .describe(
      'Where a first start begins to read: with all that the topics still hold, or with what comes from then on',
    ),
});

const trigger = z.strictObject({
  table: tableName.optional().describe('The default of `hippo trigger --table`'),
  partition: z.record(z.string(), scalarText).optional(),
  method: z.string().default('partition'),
  dialect: z.enum(FRONTIER_DIALECTS).default('pairs'),
});

export const HIPPO_TYPES = [
  'frontier',
  'batch-etl',
  'db-etl',
  'stream-etl',
  'ml-service',
  'query-service',
  'gateway',
  'web-service',
  'doctor',
  'tractor',
] as const;

export const configSchema = z.strictObject({
  name: name.describe("The hippo's name: hippo_name in its messages").optional(),
  type: z.enum(HIPPO_TYPES).optional(),
  kafka: kafka.prefault({}),
  topics: topics.prefault({}),
  calendar: calendar.prefault({}),
  client: client.prefault({}),
  yarn: yarn.prefault({}),
  trigger: trigger.prefault({}),
  jobs: z.record(name, job).default({}),
});

/** Merged over the base, which may hold what a profile lacks. */
const profile = z.strictObject({
  kafka: kafka
    .extend({ tls: z.union([z.boolean(), tls]).optional(), sasl: sasl.partial().optional() })
    .optional(),
  topics: topics.optional(),
  yarn: yarn.optional(),
});

/** hippo.yaml as written: the configuration, and profiles that are merged over it. */
export const fileSchema = configSchema.extend({
  profiles: z
    .record(name, profile)
    .default({})
    .describe('Settings merged over kafka, topics and yarn by --profile NAME or $HIPPO_PROFILE'),
});

/** hippo.yaml as loaded: defaults filled in, durations in milliseconds. */
export type Config = z.output<typeof configSchema>;
export type JobConfig = Config['jobs'][string];
export type NeedConfig = JobConfig['needs'][number];
export type SingleNeedConfig = z.output<typeof singleNeed>;
export type KafkaConfig = Config['kafka'];
export type YarnConfig = Config['yarn'];
export type TopicRole = Exclude<keyof Config['topics'], 'prefix'>;
export type CalendarConfig = Config['calendar'];
