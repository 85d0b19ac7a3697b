import { topicSpecs } from '../../kafka/topics.ts';
import type { Kafka, TopicInfo, TopicSpec } from '../../kafka/port.ts';
import { formatDuration } from '../../core/duration.ts';
import { topicName } from '../../config/topics.ts';
import type { Config } from '../../config/schema.ts';
import { type Check, type Finding, type Remedy, error, ok, skipped, warning } from '../check.ts';
import { unreachable } from './kafka.ts';

const DAY = 86_400_000;

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
    const present = new Map((await cluster.topics()).map((topic) => [topic.topic, topic]));
    const { brokers } = await cluster.cluster();
    const specs = topicSpecs(config, brokers.length);
    const findings = await Promise.all(
      specs.map((spec) => examine(spec, present.get(spec.topic), cluster, config)),
    );
    const ill = findings.flat().filter(({ status }) => status !== 'ok');
    const there = specs.filter(({ topic }) => present.has(topic)).length;
    return {
      summary: `${there} of ${specs.length}`,
      findings: ill.length > 0 ? ill : [ok(specs.map(({ topic }) => topic).join(', '))],
    };
  },
};

async function examine(
  spec: TopicSpec,
  topic: TopicInfo | undefined,
  cluster: Kafka,
  config: Config,
): Promise<Finding[]> {
  if (topic === undefined) {
    return [
      error(`${spec.topic} is missing`, { commands: ['hippo up', createCommand(spec, cluster.brokers)] }),
    ];
  }
  const settings = await cluster.topicConfig(spec.topic);
  return [
    ...examinePartitions(topic),
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
