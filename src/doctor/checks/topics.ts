import { DeniedError } from '../../kafka/failures.ts';
import { topicSpecs } from '../../kafka/topics.ts';
import type { Kafka, TopicInfo, TopicSpec } from '../../kafka/port.ts';
import { standingHoldUps } from '../../kafka/hold-ups.ts';
import { abortCommand, describeHoldUp, endOfTransaction } from '../../core/open-transaction.ts';
import { formatDuration } from '../../core/duration.ts';
import { topicName } from '../../config/topics.ts';
import type { Config } from '../../config/schema.ts';
import { type Check, type Finding, type Remedy, error, ok, skipped, warning } from '../check.ts';
import { sentence } from '../runner.ts';
import { unreachable } from './kafka.ts';

const DAY = 86_400_000;
/** Kafka's default of max.message.bytes: 32 inputs of a run, each with long values, stay below it. */
const DEFAULT_LIMIT = 1_048_588;

/** The hippo topics: they exist, have leaders and replicas, and a retention that fits their purpose. */
export const topics: Check = {
  id: 'topics',
  title: 'Topics',
  category: 'kafka',
  about: 'the hippo topics: there, led, compacted or kept',
  async run(environment) {
    const why = await unreachable(environment);
    if (why !== undefined || environment.project.state === 'broken') return skipped(why ?? '');
    const { config } = environment.project.loaded;
    const cluster = await environment.kafka();
    const { brokers } = await cluster.cluster();
    const specs = topicSpecs(config, brokers.length);
    const { found, hidden } = await cluster.lookUp(specs.map(({ topic }) => topic));
    const present = new Map(found.map((topic) => [topic.topic, topic]));
    const visible = specs.filter(({ topic: name }) => !hidden.some(({ topic }) => topic === name));
    const settings = await settingsOf(found, cluster);
    const findings = [
      ...visible.flatMap((spec) =>
        examine(spec, {
          topic: present.get(spec.topic),
          settings: settings.get(spec.topic),
          cluster,
          config,
        }),
      ),
      ...hidden.map((denial) => error(sentence(denial), { commands: denial.next })),
      ...(await holdUps(found, cluster)),
      ...unknownSettings([...settings.values()].filter((each) => each instanceof DeniedError)),
    ];
    const ill = findings.filter(({ status }) => status !== 'ok');
    const there = specs.filter(({ topic }) => present.has(topic)).length;
    return {
      summary: `${there} of ${specs.length}`,
      findings: ill.length > 0 ? ill : [ok(specs.map(({ topic }) => topic).join(', '))],
    };
  },
};

/** A transaction in flight is normal. Milliseconds. */
const LONG_OPEN = 30_000;

/** Open transactions that have hidden records for long. */
async function holdUps(topics: readonly TopicInfo[], cluster: Kafka): Promise<Finding[]> {
  const names = topics
    .filter(({ partitions }) => partitions.every(({ leader }) => leader >= 0))
    .map(({ topic }) => topic);
  const found = await standingHoldUps(cluster, names);
  return found
    .filter(({ since }) => since === null || Date.now() - since >= LONG_OPEN)
    .map((transaction) =>
      warning(describeHoldUp(transaction), {
        commands: [abortCommand(cluster.brokers, transaction)],
        text: endOfTransaction(transaction),
      }),
    );
}

type Settings = Readonly<Record<string, string>>;

/** The settings of each topic, or why they are not known. */
async function settingsOf(
  topics: readonly TopicInfo[],
  cluster: Kafka,
): Promise<Map<string, Settings | DeniedError>> {
  const ask = async ({ topic }: TopicInfo): Promise<[string, Settings | DeniedError]> => {
    try {
      return [topic, await cluster.topicConfig(topic)];
    } catch (thrown) {
      if (!(thrown instanceof DeniedError)) throw thrown;
      return [topic, thrown];
    }
  };
  return new Map(await Promise.all(topics.map(ask)));
}

/** Nothing is wrong with these topics, as far as is known. */
function unknownSettings(denials: readonly DeniedError[]): Finding[] {
  const [first] = denials;
  if (first === undefined) return [];
  const others =
    denials.length === 1 ? '' : ` and ${denials.length - 1} more topic${denials.length === 2 ? '' : 's'}`;
  const text = `Retention and compaction were not checked. ${sentence(first)}${others}`;
  return [warning(text, { commands: denials.flatMap(({ next }) => next.slice(0, 1)) })];
}

interface Examined {
  topic: TopicInfo | undefined;
  settings: Settings | DeniedError | undefined;
  cluster: Kafka;
  config: Config;
}

function examine(spec: TopicSpec, { topic, settings, cluster, config }: Examined): Finding[] {
  if (topic === undefined) {
    return [
      error(`${spec.topic} is missing`, { commands: ['hippo up', createCommand(spec, cluster.brokers)] }),
    ];
  }
  if (settings === undefined || settings instanceof DeniedError) return examinePartitions(topic);
  return [
    ...examinePartitions(topic),
    ...examineLimit(spec, settings, { brokers: cluster.brokers, isDlq: spec.topic.endsWith('.dlq') }),
    ...(spec.topic === topicName(config, 'state')
      ? examineState(spec, topic, settings, cluster.brokers)
      : examineEvents(spec, settings, cluster.brokers)),
  ];
}

function examinePartitions({ topic, partitions }: TopicInfo): Finding[] {
  const leaderless = partitions.filter(({ leader }) => leader < 0).map(({ partition }) => partition);
  const thin = partitions.filter(({ isr, replicas }) => isr.length < replicas.length).length;
  const findings: Finding[] = [];
  if (leaderless.length > 0) {
    findings.push(
      error(
        `${topic}: no leader for partition ${leaderless.join(', ')}: nothing can be read or written there`,
        {
          commands: [],
          text: 'Bring the brokers that hold its replicas back.',
        },
      ),
    );
  } else if (thin > 0) {
    findings.push(
      warning(`${topic}: ${thin} of ${partitions.length} partitions have replicas that lag behind`),
    );
  }
  return findings;
}

/** What a hippo writes: any message of the other topics may become a dead letter, and a run's record has all of its inputs. */
function examineLimit(
  { topic }: TopicSpec,
  settings: Settings,
  { brokers, isDlq }: { brokers: readonly string[]; isDlq: boolean },
): Finding[] {
  const limit = Number(settings['max.message.bytes'] ?? DEFAULT_LIMIT);
  if (limit >= DEFAULT_LIMIT) return [];
  const what = isDlq ? 'larger dead letters are cut' : 'larger messages and run records fail';
  return [
    warning(
      `${topic}: max.message.bytes is ${limit}, less than Kafka's default of ${DEFAULT_LIMIT}: ${what}`,
      alter(topic, `max.message.bytes=${DEFAULT_LIMIT}`, brokers),
    ),
  ];
}

/** The state topic must be compacted: with deletion by time hippos would forget their runs. */
function examineState(
  { topic }: TopicSpec,
  _info: TopicInfo,
  settings: Readonly<Record<string, string>>,
  brokers: readonly string[],
): Finding[] {
  const policy = settings['cleanup.policy'] ?? '';
  if (policy === 'compact') return [];
  const remedy = alter(topic, 'cleanup.policy=compact', brokers);
  if (policy.includes('compact')) {
    return [
      warning(
        `${topic}: cleanup.policy is "${policy}": old state is deleted, also that of live runs`,
        remedy,
      ),
    ];
  }
  return [
    error(`${topic}: cleanup.policy is "${policy}", not "compact": hippos will forget their runs`, remedy),
  ];
}

/** Event topics must keep records for at least a weekend, and must not be compacted. */
function examineEvents(
  { topic }: TopicSpec,
  settings: Readonly<Record<string, string>>,
  brokers: readonly string[],
): Finding[] {
  const findings: Finding[] = [];
  if (settings['cleanup.policy']?.includes('compact') === true) {
    findings.push(
      warning(
        `${topic}: cleanup.policy is "${settings['cleanup.policy']}": events with one key replace each other`,
        alter(topic, 'cleanup.policy=delete', brokers),
      ),
    );
  }
  const retention = Number(settings['retention.ms'] ?? -1);
  if (retention >= 0 && retention < DAY) {
    const text = `${topic}: events are kept for ${formatDuration(retention)} only: a client that is down longer loses them`;
    findings.push(warning(text, alter(topic, `retention.ms=${7 * DAY}`, brokers)));
  }
  return findings;
}

function createCommand(
  { topic, partitions, replicationFactor, config }: TopicSpec,
  brokers: readonly string[],
): string {
  const settings = Object.entries(config).map(([name, value]) => ` --config ${name}=${value}`);
  return (
    `kafka-topics.sh --bootstrap-server ${brokers.join(',')} --create --topic ${topic}` +
    ` --partitions ${partitions} --replication-factor ${replicationFactor}${settings.join('')}`
  );
}

function alter(topic: string, setting: string, brokers: readonly string[]): Remedy {
  const command = `kafka-configs.sh --bootstrap-server ${brokers.join(',')} --alter --topic ${topic} --add-config ${setting}`;
  return { commands: [command] };
}
