import * as v from 'valibot';
import { didYouMean } from '../core/near.ts';
import { sizeText } from '../core/size.ts';
import { isTimezone } from '../core/timezone.ts';
import { PARAM_TYPES, paramProblem } from '../messages/params.ts';
import { FRONTIER_DIALECTS } from '../messages/types.ts';
import { receiver, receiverParts } from './alerts-schema.ts';
import { queries } from './queries-schema.ts';
import { serve } from './serve-schema.ts';
import {
  USUAL_BUSINESS_DAYS,
  WEEKDAYS,
  WINDOW_UNITS,
  type WindowUnit,
  readWindowUnit,
} from '../windows/units.ts';
import {
  clockTime,
  commaSeparated,
  consistent,
  deferred,
  described,
  duration,
  hasBadEscape,
  durationOrTime,
  httpAddress,
  optionalText,
  scalarText,
  secret,
  size,
  some,
  wholeNumber,
} from './schema-parts.ts';

/** Names become part of topics, file names, YARN tags and argv, so they have letters, digits, dots, dashes and underscores only, and no dash or dot at the start. */
export const NAME_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;
export const NAME_FORM = 'letters, digits, ".", "-" and "_", not beginning with "-" or ".", at most 100';

/** Ports go from 1 to 65535. */
export const BROKER_PATTERN =
  /^(\[[\da-fA-F:.]+\]|[A-Za-z0-9._-]+):([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$/;
export const BROKER_FORM = 'host:port, with a port from 1 to 65535';

const name = v.pipe(v.string(), v.regex(NAME_PATTERN, `must be ${NAME_FORM}`));
const topicName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9._-]{1,249}$/, 'must be a Kafka topic name: letters, digits, ".", "_" and "-"'),
);
const tableName = v.pipe(
  v.string(),
  v.regex(/^[^.\s/]+\.[^.\s/]+$/, 'must be db.table'),
  v.description('A table as db.table, e.g. btd.party'),
);
const jobName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*\/[A-Za-z0-9_][A-Za-z0-9._-]*$/, 'must be hippo/job'),
);

/** The roles of the topics whose messages a job can need. */
const MESSAGE_ROLES = ['frontier', 'start', 'finish', 'schedule', 'health', 'alert', 'model'] as const;

/** Partition level name → template of the value, e.g. `{ yyyymm: "{{ window | date: '%Y%m' }}" }`. */
const partitionTemplate = described(
  v.record(v.string(), scalarText),
  "Level name to the value expected: a template of the window's date, e.g. yyyymm: \"{{ window | date: '%Y%m' }}\". " +
    'Left out: any partition (every: event), or an unpartitioned table.',
);

/** An expression of CEL. Its types are checked when the jobs are compiled, since that loads a library. */
function condition(description: string) {
  return v.optional(described(v.pipe(v.string(), v.minLength(1)), description));
}

const when = condition(
  'A condition in CEL on the message, e.g. value.method == "overwrite_partition" && value.rows > 0: a message that does not meet it is as if it had not come',
);

const tableNeed = deferred(() =>
  v.strictObject({ table: tableName, partition: v.optional(partitionTemplate), when }),
);
const jobNeed = deferred(() =>
  v.strictObject({
    job: described(jobName, "Another hippo's job as hippo/job: satisfied by its successful finish"),
    key: optionalText("Template of that run's key; left out: the run of the same window"),
    when,
  }),
);
const messageNeed = deferred(() =>
  v.strictObject({
    topic: described(
      v.picklist(MESSAGE_ROLES),
      'A message of this topic: a run of its own with every: event, else the window that holds its timestamp',
    ),
    where: condition(
      'A condition in CEL: which messages of the topic, e.g. value.message == "BUILD_MODEL". Left out: all',
    ),
  }),
);
const singleNeed = deferred(() => v.union([tableNeed, jobNeed, messageNeed]));
const anyOf = deferred(() => v.strictObject({ any_of: some(singleNeed) }));
const atLeast = deferred(() => v.strictObject({ at_least: wholeNumber(1), of: some(singleNeed) }));
/** One need stands for one member of the set for each value: `{ each: { region: [us, eu] }, table: …, partition: { region: "{{ region }}" } }`. */
const eachOf = deferred(() =>
  v.strictObject({
    each: v.record(v.string(), some(scalarText)),
    at_least: v.optional(wholeNumber(1)),
    table: tableName,
    partition: partitionTemplate,
    when,
  }),
);
const need = deferred(() => v.union([tableNeed, jobNeed, messageNeed, anyOf, atLeast, eachOf]));

/** A table, or a partition of it, that a job writes. */
const output = deferred(() =>
  v.strictObject({
    table: tableName,
    partition: v.optional(
      described(
        v.record(v.string(), scalarText),
        'Level name to the value that the job has written: a template as in `args`, which may also have ' +
          '{{ result.name }}. Left out: an unpartitioned table',
      ),
    ),
    method: v.optional(described(v.string(), 'The method of its events; left out: trigger.method')),
    dialect: v.optional(
      described(v.picklist(FRONTIER_DIALECTS), 'The dialect of its events; left out: trigger.dialect'),
    ),
  }),
);

const retries = deferred(() =>
  v.strictObject({
    attempts: v.optional(described(wholeNumber(0, 100), 'Further attempts after the first one fails'), 0),
    backoff: v.optional(duration('Pause before the first further attempt; doubles each time'), '30s'),
    max_backoff: v.optional(duration(), '30m'),
  }),
);

const word = v.pipe(v.string(), v.minLength(1));

/** Durations have many forms (`90 min`, `90m`), the loaded configuration has one for each unit. */
const windowUnit = v.pipe(
  v.string(),
  v.description(
    'Or a duration that divides a day, such as 15m or 6h: its windows begin as the wall clock shows',
  ),
  v.rawTransform(({ dataset, addIssue, NEVER }): WindowUnit => {
    const read = readWindowUnit(dataset.value);
    if ('unit' in read) return read.unit;
    addIssue({ message: `must be ${read.allowed}` });
    return NEVER;
  }),
);

const job = deferred(() =>
  v.strictObject({
    every: v.optional(v.union([v.picklist(['event', ...WINDOW_UNITS]), windowUnit]), 'event'),
    needs: v.optional(
      described(v.array(need), 'Left out: it runs at the time of `at`, or only when an operator asks for it'),
      [],
    ),
    at: v.optional(
      described(
        v.string(),
        'Of a job without needs: when the run of a window starts, after its end. A time of day such as "02:00"; ' +
          'for windows shorter than a day a duration such as 5m',
      ),
    ),
    catch_up: v.optional(
      described(
        v.picklist(['newest', 'all']),
        'With `at`: which of the windows are made up for that were missed while no client ran. Left out: newest',
      ),
    ),
    run: v.optional(
      described(
        v.union([word, some(word)]),
        'The program to run, as a path or as program and arguments; no shell reads it',
      ),
      './start-spark.sh',
    ),
    args: v.optional(
      described(v.array(scalarText), "Further arguments: templates of the window and the needs' partitions"),
      [],
    ),
    env: v.optional(v.record(v.string(), scalarText), {}),
    produces: v.optional(
      described(
        some(output),
        'The tables that it writes: with each success an event of each is published, as if a source had announced it',
      ),
    ),
    timeout: v.optional(duration('An attempt that runs for longer is killed and counts as failed')),
    deadline: v.optional(
      durationOrTime(
        'When a window\'s run must have succeeded: so long after the window\'s end, or the next time of day after it ("06:30"). ' +
          'If it has not, the client says so once, also where nothing has landed for the window',
      ),
    ),
    expected: v.optional(
      described(
        v.boolean(),
        'false: a window for which nothing has landed by the deadline is not missed, because there are windows without data',
      ),
      true,
    ),
    give_up: v.optional(
      duration(
        'A window whose needs are not complete this long after its end times out; left out: it waits as long as state is kept',
      ),
    ),
    retries: v.optional(retries, {}),
    concurrency: v.optional(described(wholeNumber(1), 'How many runs of this job may be active at once'), 1),
    order: v.optional(
      described(
        v.picklist(['oldest', 'newest', 'arrival']),
        'Which of the runs that are ready starts first. arrival: in the order in which their first inputs came. ' +
          'Left out: oldest, with every: event arrival',
      ),
    ),
    on_reland: v.optional(
      described(
        v.picklist(['rerun', 'hold', 'ignore']),
        'What a newer landing of an input does after the run has fired',
      ),
      'rerun',
    ),
    while_paused: v.optional(
      described(v.picklist(['keep', 'drop']), 'What a pause does with the runs that become ready'),
      'keep',
    ),
    result: v.optional(
      described(
        v.picklist(['optional', 'required']),
        'required: exit code 0 without a result in $HIPPO_RESULT_FILE counts as failed. ' +
          'Not asked for in YARN cluster mode, where the resource manager has the last word',
      ),
      'optional',
    ),
    keep_result: v.optional(
      described(
        v.boolean(),
        "The result of the job's last success is kept in the hippo's state, and each attempt gets it as $HIPPO_LAST_RESULT",
      ),
      false,
    ),
  }),
);

const yarn = v.strictObject({
  resource_managers: v.optional(
    described(
      v.union([some(httpAddress), commaSeparated(httpAddress)]),
      'http://host:8088 of the resource manager, of both where there are two. Spark jobs then run on YARN: ' +
        'they get SPARK_MASTER=yarn unless something else is set. $HIPPO_YARN_RM overrides it',
    ),
  ),
  deploy_mode: v.optional(
    described(
      v.picklist(['cluster', 'client']),
      "Where a job's driver runs. cluster: on YARN, and the resource manager says how it ended; " +
        'client: in the process that the client starts, whose exit code counts',
    ),
    'cluster',
  ),
  user: v.optional(
    described(name, 'Who asks (user.name); left out: $HADOOP_USER_NAME, else the user that runs the client'),
  ),
  request_timeout: v.optional(duration('How long one request to a resource manager may take'), '10s'),
  give_up: v.optional(
    duration(
      'An attempt of which no resource manager has told anything for so long counts as failed; ' +
        'no other attempt starts before one has told that it is dead',
    ),
    '30m',
  ),
});

const broker = v.pipe(v.string(), v.regex(BROKER_PATTERN, `must be ${BROKER_FORM}`));

const sasl = deferred(() =>
  v.strictObject({
    mechanism: v.picklist(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer']),
    username: v.optional(v.string()),
    password: v.optional(secret),
    password_file: optionalText(
      'A file with the password, read again for each new connection; relative to hippo.yaml',
    ),
    token: v.optional(described(secret, 'For oauthbearer')),
    token_file: optionalText(
      'A file with the token, read again for each new connection; relative to hippo.yaml',
    ),
  }),
);

const tls = deferred(() =>
  v.strictObject({
    ca_file: optionalText("PEM: the broker's authority; left out: those that this machine trusts"),
    cert_file: optionalText('PEM: our certificate, where the broker wants one'),
    key_file: optionalText('PEM: its key'),
    key_passphrase: v.optional(secret),
    server_name: optionalText("A name of the broker's certificate, where kafka.brokers has another"),
  }),
);

/** A certificate cannot be used without its key. */
const certificateHasKey = consistent<v.InferOutput<typeof tls>>(({ cert_file, key_file }, complain) => {
  if ((cert_file === undefined) === (key_file === undefined)) return;
  if (cert_file === undefined) complain('cert_file', 'is missing; key_file needs it');
  else complain('key_file', 'is missing; cert_file needs it');
});

/** A mechanism without its credentials would fail much later, and less clearly. */
const mechanismHasCredentials = consistent<v.InferOutput<typeof sasl>>((settings, complain) => {
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
});

const kafka = v.strictObject({
  brokers: v.optional(
    described(
      v.union([some(broker), commaSeparated(broker)]),
      'host:port, …; left out: the local stack that `hippo up` started',
    ),
  ),
  client_id: v.optional(name, 'hippo'),
  connect_timeout: v.optional(duration('How long a dead broker may keep a command waiting'), '5s'),
  request_timeout: v.optional(duration(), '30s'),
  tls: v.optional(v.union([v.boolean(), deferred(() => v.pipe(tls, certificateHasKey))]), false),
  sasl: v.optional(deferred(() => v.pipe(sasl, mechanismHasCredentials))),
});

const topics = v.strictObject({
  prefix: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[A-Za-z0-9._-]*$/, 'must be of letters, digits, ".", "_" and "-"'),
      v.description(
        'Put before each of the names below, e.g. "uat-"; part of what identifies the hippo: with another prefix it is another hippo',
      ),
    ),
    '',
  ),
  frontier: v.optional(topicName, 'frontier-adw'),
  start: v.optional(topicName, 'hippo-start'),
  finish: v.optional(topicName, 'hippo-finish'),
  schedule: v.optional(topicName, 'hippo-schedule'),
  health: v.optional(topicName, 'service-health'),
  alert: v.optional(described(topicName, 'Alerts; only hippos with `alerts` need it'), 'hippo-alert'),
  model: v.optional(
    described(topicName, 'Messages about models; only hippos with `models`, or whose needs name it, need it'),
    'hippo-model',
  ),
  state: v.optional(topicName, 'hippo-state'),
});

const timezone = v.pipe(
  v.string(),
  v.check(isTimezone, ({ input }) =>
    ['must be an IANA time zone such as Asia/Taipei', didYouMean(input, Intl.supportedValuesOf('timeZone'))]
      .filter((sentence) => sentence !== undefined)
      .join('. '),
  ),
  v.description('IANA name, e.g. Asia/Taipei'),
);

const [sunday, ...WEEK] = WEEKDAYS;
const MONDAY_FIRST = [...WEEK, sunday];

const calendar = v.strictObject({
  timezone: v.optional(timezone, 'UTC'),
  day_starts: v.optional(
    described(clockTime, 'When a day begins; "22:00": what comes after 22:00 counts as the next day\'s'),
    '00:00',
  ),
  week_starts: v.optional(
    described(
      v.picklist(['monday', 'sunday']),
      "monday: ISO weeks, 2017-W17. sunday: strftime's %U, 2017-U17",
    ),
    'monday',
  ),
  business_days: v.optional(
    described(some(v.picklist(MONDAY_FIRST)), 'The days of the week on which the business works'),
    [...USUAL_BUSINESS_DAYS],
  ),
  holidays: v.optional(
    v.pipe(
      v.string(),
      v.regex(/\.(ya?ml|ics)$/i, 'must name a file .yaml or .yml (a list of dates), or .ics (iCalendar)'),
      v.description(
        'A file with the dates that are no business days, relative to hippo.yaml: .yaml or .yml (a list of dates), or .ics (iCalendar)',
      ),
    ),
  ),
});

const client = v.strictObject({
  session_timeout: v.optional(duration('After this long without a heartbeat a standby takes over'), '30s'),
  kafka_grace: v.optional(
    duration(
      'How long jobs go on without Kafka once a standby may have taken over, which is a session_timeout after the ' +
        'last contact; then they are ended. Left out: one more session_timeout',
    ),
  ),
  health_interval: v.optional(duration(), '30s'),
  http: v.optional(
    described(
      v.union([
        v.literal(false),
        v.strictObject({ host: v.optional(v.string(), '127.0.0.1'), port: wholeNumber(0, 65_535) }),
      ]),
      'Where /healthz, /readyz and /metrics are served; false: nowhere',
    ),
    false,
  ),
  on_stop: v.optional(
    described(
      v.picklist(['kill', 'detach']),
      'What a stop of the client does to running jobs. kill: ends them; the next owner runs them again. ' +
        'detach: leaves YARN applications in cluster mode at work, and the next owner takes them up; ends all others',
    ),
    'kill',
  ),
  kill_grace: v.optional(duration('Between SIGTERM and SIGKILL to a job'), '10s'),
  keep: v.optional(duration('How long ended runs and landed inputs are remembered'), '62d'),
  start_from: v.optional(
    described(
      v.picklist(['beginning', 'end']),
      'Where the first start of a hippo begins to read: with all that the topics still hold, or with what comes from then on. Partitions that are added later are read from their beginning',
    ),
    'beginning',
  ),
});

/** The ends of a log are read for what spark-submit prints about its application, so they must not be too short. */
const SHORTEST_LOG = 2 ** 20;

const logs = v.strictObject({
  attempt_size: v.optional(
    size(
      SHORTEST_LOG,
      'The log of an attempt that grows beyond it loses its middle: the beginning and the end are kept',
    ),
    '64MiB',
  ),
  keep: v.optional(
    duration(
      'A log is removed so long after its last line, or earlier: when its run is forgotten. Left out: client.keep',
    ),
  ),
  max_size: v.optional(
    size(SHORTEST_LOG, "All logs of attempts in the project's folder: the oldest are removed beyond it"),
    '4GiB',
  ),
});

/** Else the log of one attempt would have to be removed while it grows. */
const holdsOneLog = consistent<v.InferOutput<typeof logs>>(({ attempt_size, max_size }, complain) => {
  if (max_size < attempt_size)
    complain('max_size', `is less than logs.attempt_size, which is ${sizeText(attempt_size)}`);
});

const trigger = v.strictObject({
  table: v.optional(described(tableName, 'The default of `hippo trigger --table`')),
  partition: v.optional(v.record(v.string(), scalarText)),
  method: v.optional(v.string(), 'partition'),
  dialect: v.optional(v.picklist(FRONTIER_DIALECTS), 'pairs'),
});

const fileName = v.pipe(
  v.string(),
  v.regex(/^[^/\0]+$/, 'must be the name of a file, such as _SUCCESS'),
  v.check((text) => text !== '.' && text !== '..', 'must be the name of a file, such as _SUCCESS'),
);

/** What every source has, whatever it watches. */
const announced = {
  table: tableName,
  method: v.optional(described(v.string(), 'The method of its events; left out: trigger.method')),
  dialect: v.optional(
    described(v.picklist(FRONTIER_DIALECTS), 'The dialect of its events; left out: trigger.dialect'),
  ),
};

/** Of a source that looks again and again. */
const scanned = {
  every: v.optional(duration('The pause between two scans'), '1m'),
  start_from: v.optional(
    described(
      v.picklist(['beginning', 'end']),
      'What the first scan does with what is there: announce it, or only remember it',
    ),
    'beginning',
  ),
};

/** Of a source that lists folders of partitions, on this machine or elsewhere. */
const placed = {
  levels: v.optional(
    described(
      v.string(),
      'The folders of a partition, e.g. yyyymm=*/region=*. Left out: the place itself is the landing of an unpartitioned table',
    ),
    '',
  ),
  complete: v.optional(
    described(
      fileName,
      'The file that marks a complete partition, e.g. _SUCCESS. Left out: it is complete when its files have not changed for `settle`',
    ),
  ),
  settle: v.optional(
    duration(
      'A landing is announced when it has not changed for so long. Left out: 1m, or at once where `complete` is set',
    ),
  ),
};

const folderSource = deferred(() =>
  v.strictObject({
    ...announced,
    folder: described(v.pipe(v.string(), v.minLength(1)), 'A folder of partitions; relative to hippo.yaml'),
    mounted: v.optional(
      described(
        v.boolean(),
        'The folder is a mount point: while nothing is mounted there it is away, not empty',
      ),
      false,
    ),
    ...placed,
    ...scanned,
  }),
);

/** Of a connection: the password in it is printed nowhere. */
const postgresUrl = v.pipe(
  secret,
  v.check(
    isPostgresUrl,
    'must be a URL such as postgres://user@host:5432/database; a "%" in it is %25, a "/" in the password %2F',
  ),
  v.description(
    'postgres://user:password@host:5432/database, with what pg reads after "?": sslmode, sslrootcert, …; take the password from the environment: ${VAR}',
  ),
);

function isPostgresUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) return false;
  return !hasBadEscape([url.username, url.password, url.hostname, url.pathname]);
}

const sqlConnection = {
  url: postgresUrl,
  password_file: optionalText(
    'A file with the password, read again for each connection; relative to hippo.yaml',
  ),
  connect_timeout: v.optional(duration('How long it may take to connect'), '10s'),
  timeout: v.optional(
    duration('How long a statement, or the fetch of some of its rows, may take; the server ends it then'),
    '1m',
  ),
};

const column = v.pipe(v.string(), v.minLength(1));

const levelColumns = v.optional(
  described(
    v.array(column),
    'The columns that a partition consists of, in their order. Left out: the table is unpartitioned',
  ),
  [],
);

const sqlQuery = deferred(() =>
  v.strictObject({
    ...sqlConnection,
    query: described(
      v.pipe(v.string(), v.minLength(1)),
      'Lists the partitions: a row for each. The column landed_at is its time; a row that changes has landed again',
    ),
    levels: levelColumns,
  }),
);

const sqlWatermark = deferred(() =>
  v.strictObject({
    ...sqlConnection,
    watermark: described(
      column,
      'The column that grows with each row that is written: its time, or its number',
    ),
    from: described(
      v.pipe(v.string(), v.regex(/^[^.]+(\.[^.]+)?$/, 'must be schema.table')),
      'The table whose new rows are read: schema.table',
    ),
    levels: levelColumns,
    overlap: v.optional(
      duration(
        'How far each scan reads back, for rows that are committed late; longer than the longest transaction that writes rows. ' +
          'For a column of numbers: how many. Left out: 10m, or 1000',
      ),
    ),
  }),
);

type SqlSettings = v.InferOutput<typeof sqlQuery> | v.InferOutput<typeof sqlWatermark>;

const onePassword = consistent<SqlSettings>(({ url, password_file }, complain) => {
  if (password_file !== undefined && (URL.parse(url)?.password ?? '') !== '')
    complain('password_file', 'says again what the password in url says; leave one of them out');
});

const sqlSource = deferred(() =>
  v.strictObject({
    ...announced,
    sql: v.pipe(v.union([sqlQuery, sqlWatermark]), onePassword),
    ...scanned,
  }),
);

/** The form of a bucket's name is S3's; keys may have any characters. */
const s3Url = v.pipe(
  v.string(),
  v.regex(
    /^s3:\/\/[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](\/.*)?$/s,
    'must be s3://bucket or s3://bucket/prefix/, without credentials',
  ),
);

const s3Place = deferred(() =>
  v.strictObject({
    url: described(s3Url, 's3://bucket/prefix/; a slash at its end may be left out'),
    endpoint: v.optional(
      described(httpAddress, 'http://host:9000 of what speaks S3 but is not AWS, e.g. MinIO. Left out: AWS'),
    ),
    region: optionalText("The bucket's region. Left out: $AWS_REGION, or that of the profile"),
    path_style: v.optional(
      described(
        v.boolean(),
        'The name of the bucket is part of the path, not of the host. Left out: true with an endpoint, else false',
      ),
    ),
    profile: optionalText(
      "A profile of ~/.aws/config with the credentials. Left out: $AWS_PROFILE, or what AWS's programs find without one",
    ),
    request_timeout: v.optional(duration('How long one request to S3 may take'), '30s'),
  }),
);

const s3Source = deferred(() =>
  v.strictObject({
    ...announced,
    s3: described(
      s3Place,
      'A prefix of an S3 bucket. Credentials are found as by the programs of AWS, never here',
    ),
    ...placed,
    ...scanned,
  }),
);

const hdfsPath = v.pipe(
  v.string(),
  v.regex(
    /^\/(?:(?!\.{1,2}(?:\/|$))[^/\0]+(?:\/|$))*$/,
    'must be a path from the root on, without "." and "..", such as /warehouse/orders',
  ),
);

const hdfsPlace = deferred(() =>
  v.strictObject({
    path: described(hdfsPath, 'A folder of HDFS: /warehouse/orders'),
    namenodes: described(
      v.union([some(httpAddress), commaSeparated(httpAddress)]),
      'http://host:9870 of the NameNode, of both where there are two: their WebHDFS',
    ),
    user: v.optional(
      described(
        name,
        'Who asks (user.name); left out: $HADOOP_USER_NAME, else the user that runs the client',
      ),
    ),
    request_timeout: v.optional(duration('How long one request to a NameNode may take'), '10s'),
  }),
);

const hdfsSource = deferred(() =>
  v.strictObject({
    ...announced,
    hdfs: described(hdfsPlace, 'A folder of HDFS, read by WebHDFS'),
    ...placed,
    ...scanned,
  }),
);

const reports = deferred(() =>
  v.strictObject({
    host: v.optional(described(v.string(), 'Where it listens'), '127.0.0.1'),
    port: described(wholeNumber(0, 65_535), '0: any free one'),
    token: v.optional(
      v.pipe(
        secret,
        v.regex(/^[\x21-\x7e]{16,}$/, 'must have at least 16 printable ASCII characters, and no blanks'),
        v.description('The bearer token that each request must have; take it from the environment: ${VAR}'),
      ),
    ),
    token_file: optionalText('A file with the token, read again for each request; relative to hippo.yaml'),
    levels: v.optional(
      described(
        some(column),
        "The names of a partition's levels, in their order. Left out: a report may have any",
      ),
    ),
    rate: v.optional(described(wholeNumber(1, 10_000), 'Requests a second that are taken'), 50),
  }),
);

const hasToken = consistent<v.InferOutput<typeof reports>>(({ token, token_file }, complain) => {
  if (token === undefined && token_file === undefined) complain('token', 'is missing; or set token_file');
  else if (token !== undefined && token_file !== undefined)
    complain('token_file', 'says again what token says; leave one of them out');
});

const httpSource = deferred(() => v.strictObject({ ...announced, http: v.pipe(reports, hasToken) }));

/** By kind: each kind has one key of its own that it needs, which says what is watched. */
const sourceKinds = {
  folder: folderSource,
  s3: s3Source,
  hdfs: hdfsSource,
  sql: sqlSource,
  http: httpSource,
};
export const SOURCE_KINDS = [
  'folder',
  's3',
  'hdfs',
  'sql',
  'http',
] as const satisfies readonly (keyof typeof sourceKinds)[];

/** @returns whether a source of this kind has no such key, and one of another kind has */
export function isOfOtherKind(key: string, kind: (typeof SOURCE_KINDS)[number]): boolean {
  return (
    !(key in sourceKinds[kind].entries) && SOURCE_KINDS.some((other) => key in sourceKinds[other].entries)
  );
}

const source = deferred(() =>
  v.union([sourceKinds.folder, sourceKinds.s3, sourceKinds.hdfs, sourceKinds.sql, sourceKinds.http]),
);

/** Any part of a source of any kind: what a profile may change. The merged source is checked as one of its kind. */
const sourceParts = deferred(() =>
  v.partial(
    v.strictObject({
      ...folderSource.entries,
      s3: v.partial(s3Place),
      hdfs: v.partial(hdfsPlace),
      sql: v.partial(v.strictObject({ ...sqlQuery.entries, ...sqlWatermark.entries })),
      http: v.partial(reports),
    }),
  ),
);

/** Where a service answers: a path on its own port, or a URL. Errors and logs print it, so credentials in it are refused. */
const ownUrl = v.pipe(
  v.string(),
  v.regex(
    /^(\/[^\s#]*|https?:\/\/[^\s/?#@]+(\/[^\s#]*)?)$/,
    'must be a path such as /healthz (on `port`), or a URL such as http://127.0.0.1:8080/healthz',
  ),
);

const ready = deferred(() =>
  v.union([
    v.strictObject({ http: described(ownUrl, 'It is ready while this answers with a status below 400') }),
    v.strictObject({
      tcp: described(
        v.union([
          wholeNumber(1, 65_535),
          v.pipe(v.string(), v.regex(BROKER_PATTERN, `must be a port, or ${BROKER_FORM}`)),
          v.literal(true),
        ]),
        'It is ready while a connection to this port, or host:port, is accepted; true: to `port`',
      ),
    }),
    v.strictObject({
      line: described(
        v.pipe(v.string(), v.check(isPattern, 'must be a regular expression, such as "^Started in "')),
        'It is ready once it has printed a line in which this regular expression is found',
      ),
    }),
  ]),
);

const service = deferred(() =>
  v.strictObject({
    run: described(
      v.union([word, some(word)]),
      'The program that is kept running, as a path or as program and arguments; no shell reads it',
    ),
    args: v.optional(described(v.array(scalarText), 'Further arguments'), []),
    env: v.optional(v.record(v.string(), scalarText), {}),
    scope: v.optional(
      described(
        v.picklist(['owner', 'each']),
        'owner: runs once for the hippo, beside the client that owns it. each: runs beside every client, standbys too',
      ),
      'owner',
    ),
    port: v.optional(
      described(
        v.union([v.literal('auto'), wholeNumber(1, 65_535)]),
        '$HIPPO_PORT of the service; auto: a free port. Left out: $HIPPO_PORT is not set',
      ),
    ),
    ready: v.optional(described(ready, 'How to tell that it is ready; left out: when it has started')),
    backoff: v.optional(duration('Pause before the first restart; doubles with each within `give_up`'), '1s'),
    max_backoff: v.optional(duration(), '1m'),
    give_up: v.optional(
      v.strictObject({
        after: v.optional(described(wholeNumber(1, 1_000), 'So many ends'), 10),
        within: v.optional(duration('in so long a time'), '10m'),
      }),
      {},
    ),
    reload_on: v.optional(
      described(
        some(singleNeed),
        'Messages on which it reloads: a table, a job or a topic, as in `needs`, without {{ window }}',
      ),
    ),
    reload: v.optional(
      described(
        v.union([
          v.strictObject({ signal: v.picklist(['SIGHUP', 'SIGUSR1', 'SIGUSR2']) }),
          v.strictObject({ http: ownUrl }),
        ]),
        'How it is told to reload, with reload_on: a signal that it handles (the message is in $HIPPO_RELOAD_FILE), or a POST with the message as its body',
      ),
    ),
    metrics: v.optional(
      described(ownUrl, "Prometheus metrics of the service: they appear in the client's /metrics"),
    ),
    events: v.optional(
      described(
        v.strictObject({
          method: v.optional(described(v.string(), 'Of its events; left out: trigger.method')),
          dialect: v.optional(
            described(v.picklist(FRONTIER_DIALECTS), 'Of its events; left out: trigger.dialect'),
          ),
        }),
        'The service announces tables by lines of JSON in $HIPPO_EVENTS_FILE. Only with scope: owner',
      ),
    ),
  }),
);

/** Names of models become part of topics' keys, paths of objects and URLs. */
export const MODEL_PATTERN = /^[a-z][a-z0-9_-]{0,63}$/;
export const MODEL_FORM = 'lower case letters, digits, "-" and "_", beginning with a letter, at most 64';
const modelName = v.pipe(v.string(), v.regex(MODEL_PATTERN, `must be ${MODEL_FORM}`));

/** A parameter is an argument of the builder's program, never a text that a shell reads. */
const paramName = v.pipe(
  v.string(),
  v.regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
    'must be letters, digits and "_", not beginning with a digit, at most 64',
  ),
);

const modelParam = deferred(() =>
  v.strictObject({
    type: v.picklist(PARAM_TYPES),
    min: v.optional(described(v.number(), 'Of a number or integer: the smallest')),
    max: v.optional(described(v.number(), 'Of a number or integer: the largest')),
    values: v.optional(described(some(v.string()), 'Of a text: those that are allowed')),
    pattern: v.optional(
      described(
        v.pipe(v.string(), v.check(isPattern, 'must be a regular expression, such as "[a-z]+"')),
        'Of a text: a regular expression that the whole text must fit',
      ),
    ),
    default: v.optional(
      described(
        v.union([v.string(), v.number(), v.boolean()]),
        'Its value where no message sets it. Left out: it is not passed to the builder then',
      ),
    ),
  }),
);

type ModelParam = v.InferOutput<typeof modelParam>;

/** What a parameter says must go together; a default that is not allowed would make each build fail. */
const paramFits = consistent<ModelParam>((param, complain) => {
  const isNumeric = param.type === 'number' || param.type === 'integer';
  for (const key of ['min', 'max'] as const)
    if (param[key] !== undefined && !isNumeric) complain(key, 'goes with type: number or integer');
  for (const key of ['values', 'pattern'] as const)
    if (param[key] !== undefined && param.type !== 'text') complain(key, 'goes with type: text');
  if (param.values !== undefined && param.pattern !== undefined)
    complain('pattern', 'says what values says, too; leave one of them out');
  if (param.min !== undefined && param.max !== undefined && param.min > param.max)
    complain('max', `is less than min, which is ${param.min}`);
  if (param.type === 'text' && param.values === undefined && param.pattern === undefined)
    complain('type', 'a text needs values or pattern beside it: what it may be');
  const problem = param.default === undefined ? undefined : paramProblem(param, param.default);
  if (problem !== undefined) complain('default', problem);
});

const modelLocation = v.pipe(
  v.string(),
  v.regex(
    /^(?:(?:hdfs:\/\/[^\s/?#@]*|s3a?:\/\/[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]|file:\/\/)(?:\/[^?#]*)?|(?![a-z][a-z0-9+.-]*:\/\/)[^\0]+)$/s,
    'must be a folder, or file:///folder, hdfs://host:port/folder or s3a://bucket/prefix, without credentials',
  ),
);

const model = deferred(() =>
  v.strictObject({
    builder: described(name, 'The job that builds it; BUILD_MODEL runs it, its other needs run it too'),
    service: v.optional(
      described(v.union([name, some(name)]), 'The service, or services, that serve it; left out: none'),
    ),
    location: described(
      modelLocation,
      'The folder with its versions: relative to hippo.yaml, file://, hdfs:// or s3a://',
    ),
    hdfs: v.optional(
      v.strictObject({
        webhdfs: described(
          v.union([some(httpAddress), commaSeparated(httpAddress)]),
          'http://host:9870 of the NameNode, of both where there are two: their WebHDFS, by which services read',
        ),
        user: v.optional(
          described(
            name,
            'Who asks (user.name); left out: $HADOOP_USER_NAME, else the user that runs the client',
          ),
        ),
        request_timeout: v.optional(duration('How long one request to a NameNode may take'), '10s'),
      }),
    ),
    s3: v.optional(
      v.strictObject({
        endpoint: v.optional(
          described(
            httpAddress,
            'http://host:9000 of what speaks S3 but is not AWS, e.g. MinIO. Left out: AWS',
          ),
        ),
        region: optionalText("The bucket's region. Left out: $AWS_REGION, or that of the profile"),
        path_style: v.optional(
          described(
            v.boolean(),
            'The name of the bucket is part of the path, not of the host. Left out: true with an endpoint, else false',
          ),
        ),
        profile: optionalText(
          "A profile of ~/.aws/config with the credentials. Left out: $AWS_PROFILE, or what AWS's programs find without one",
        ),
        request_timeout: v.optional(duration('How long one request to S3 may take'), '30s'),
      }),
    ),
    promote: v.optional(
      described(
        v.strictObject({
          metric: described(
            v.pipe(v.string(), v.regex(/^[A-Za-z_][\w.-]{0,63}$/, 'must be the name of a metric')),
            'Of the metrics that the builder tells: the one that decides',
          ),
          better: v.optional(v.picklist(['higher', 'lower']), 'higher'),
          margin: v.optional(
            described(
              v.pipe(v.number(), v.minValue(0)),
              'By how much a version may be worse than the one that serves, and still be promoted',
            ),
            0,
          ),
        }),
        'When a new version serves. Left out: each version does',
      ),
    ),
    keep: v.optional(
      v.strictObject({
        versions: v.optional(described(wholeNumber(1, 1_000), 'So many of the newest versions'), 10),
        age: v.optional(duration('and none that is older'), '90d'),
      }),
      {},
    ),
    params: v.optional(
      described(
        v.record(paramName, v.pipe(modelParam, paramFits)),
        'What BUILD_MODEL may set; anything else is refused',
      ),
      {},
    ),
  }),
);

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return text !== '';
  } catch {
    return false;
  }
}

/** What `hippo up --with` can start besides Kafka. */
export const STACK_PARTS = ['postgres'] as const;
export type StackPart = (typeof STACK_PARTS)[number];

const coordinates = v.pipe(
  v.string(),
  v.regex(
    /^[A-Za-z0-9_][\w.-]*:[A-Za-z0-9_][\w.-]*:[A-Za-z0-9_][\w.-]*$/,
    'must be GROUP:ARTIFACT:VERSION, such as org.postgresql:postgresql:42.7.8',
  ),
);

const stackTopic = v.strictObject({
  partitions: v.optional(wholeNumber(1, 10_000), 1),
  config: v.optional(
    described(v.record(v.string(), scalarText), "The topic's settings, such as cleanup.policy: compact"),
    {},
  ),
});

const stack = v.strictObject({
  with: v.optional(
    described(
      v.array(v.picklist(STACK_PARTS)),
      'What `hippo up` starts besides Kafka. postgres: a PostgreSQL, whose URL is $DATABASE_URL; none where $DATABASE_URL is set',
    ),
    [],
  ),
  jars: v.optional(
    described(
      v.array(coordinates),
      'Jars that Spark jobs need, which `hippo up` fetches by Maven: GROUP:ARTIFACT:VERSION, each without what it needs in turn',
    ),
    [],
  ),
  topics: v.optional(
    described(
      v.record(topicName, stackTopic),
      'Topics that `hippo up` creates besides those of hippo, by name',
    ),
    {},
  ),
});

/** With it, even empty, what needs a person is published on the alert topic. */
const alerts = deferred(() =>
  v.strictObject({
    receivers: v.optional(described(v.record(name, receiver), 'What the owner sends alerts to, by name'), {}),
    group_wait: v.optional(
      duration('How long more alerts are waited for, to send them in one message'),
      '10s',
    ),
    paused_after: v.optional(duration('A pause of a job, source or service that is longer alerts'), '1d'),
    dead_letters: v.optional(
      v.strictObject({
        quiet: v.optional(
          duration(
            'When no record of a topic was rejected for so long, the alert of its dead letters is over',
          ),
          '1h',
        ),
      }),
      {},
    ),
  }),
);

/** What a profile may change of `alerts`. */
const alertsParts = deferred(() =>
  v.strictObject({
    receivers: v.optional(
      v.record(name, v.union([described(v.literal(false), 'Without this receiver'), receiverParts])),
    ),
    group_wait: v.optional(duration()),
    paused_after: v.optional(duration()),
    dead_letters: v.optional(v.strictObject({ quiet: v.optional(duration()) })),
  }),
);

const HIPPO_TYPES = [
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

export const configSchema = v.strictObject({
  name: v.optional(described(name, "The hippo's name: hippo_name in its messages")),
  type: v.optional(v.picklist(HIPPO_TYPES)),
  kafka: v.optional(kafka, {}),
  topics: v.optional(topics, {}),
  calendar: v.optional(calendar, {}),
  client: v.optional(client, {}),
  logs: v.optional(v.pipe(logs, holdsOneLog), {}),
  yarn: v.optional(yarn, {}),
  trigger: v.optional(trigger, {}),
  jobs: v.optional(v.record(name, job), {}),
  sources: v.optional(v.record(name, source), {}),
  services: v.optional(v.record(name, service), {}),
  models: v.optional(v.record(modelName, model), {}),
  stack: v.optional(stack, {}),
  alerts: v.optional(alerts),
  queries: v.optional(queries),
  serve: v.optional(serve),
});

/** A profile is merged over the base, so it may leave out anything. */
const profile = deferred(() =>
  v.strictObject({
    kafka: v.optional(
      v.strictObject({
        ...kafka.entries,
        tls: v.optional(v.union([v.boolean(), tls])),
        sasl: v.optional(v.partial(sasl)),
      }),
    ),
    topics: v.optional(topics),
    logs: v.optional(logs),
    yarn: v.optional(yarn),
    sources: v.optional(v.record(name, sourceParts)),
    services: v.optional(v.record(name, v.partial(service))),
    models: v.optional(v.record(modelName, v.partial(model))),
    stack: v.optional(stack),
    alerts: v.optional(v.union([described(v.literal(false), 'No alert is published or sent'), alertsParts])),
    serve: v.optional(serve),
  }),
);

/** hippo.yaml as written: the configuration, and profiles that are merged over it. */
export const fileSchema = v.strictObject({
  ...configSchema.entries,
  profiles: v.optional(
    described(
      v.record(name, profile),
      'Settings merged over kafka, topics, logs, yarn, sources, services, models, stack, alerts and serve by --profile NAME or $HIPPO_PROFILE',
    ),
    {},
  ),
});

/** A configuration from its sections, without a hippo.yaml. Throws if it is invalid. */
export const parseConfig = v.parser(configSchema);

/** hippo.yaml as loaded: with defaults, durations in milliseconds, and sizes in bytes. */
export type Config = v.InferOutput<typeof configSchema>;
export type JobConfig = Config['jobs'][string];
export type SourceConfig = Config['sources'][string];
export type SourceKind = (typeof SOURCE_KINDS)[number];
/** The settings of the sources of one kind. */
export type SourceOf<Kind extends SourceKind> = Kind extends SourceKind
  ? Extract<SourceConfig, Record<Kind, unknown>>
  : never;
export type AlertsConfig = NonNullable<Config['alerts']>;
export type ServeConfig = NonNullable<Config['serve']>;
export type ServiceConfig = Config['services'][string];
export type ModelConfig = Config['models'][string];
export type ModelParamConfig = ModelConfig['params'][string];
export type QueriesConfig = NonNullable<Config['queries']>;
export type QueryTableConfig = QueriesConfig['tables'][string];
export type QueryRouteConfig = QueriesConfig['routes'][string];
export type QueryParameterConfig = QueryRouteConfig['parameters'][string];
export type OutputConfig = NonNullable<JobConfig['produces']>[number];
export type NeedConfig = JobConfig['needs'][number];
export type SingleNeedConfig = v.InferOutput<typeof singleNeed>;
export type KafkaConfig = Config['kafka'];
export type YarnConfig = Config['yarn'];
export type TopicRole = Exclude<keyof Config['topics'], 'prefix'>;
export type CalendarConfig = Config['calendar'];
