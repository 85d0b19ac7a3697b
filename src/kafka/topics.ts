import { type TopicUse, dlqName, inputRoles, topicName, usedRoles } from '../config/topics.ts';
import type { Config, TopicRole } from '../config/schema.ts';
import type { TopicSpec } from './port.ts';

const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;

/** What kind of log each role needs; retention in milliseconds. */
const SHAPES: Record<TopicRole, { partitions: number; config: Record<string, string> }> = {
  // Events must outlive the longest wait for the other inputs of a run, and allow last months to be replayed.
  frontier: { partitions: 4, config: { 'retention.ms': String(90 * DAY_MS) } },
  start: { partitions: 4, config: { 'retention.ms': String(90 * DAY_MS) } },
  finish: { partitions: 4, config: { 'retention.ms': String(90 * DAY_MS) } },
  schedule: { partitions: 1, config: { 'retention.ms': String(7 * DAY_MS) } },
  health: { partitions: 1, config: { 'retention.ms': String(DAY_MS), 'segment.ms': String(DAY_MS / 4) } },
  alert: { partitions: 1, config: { 'retention.ms': String(90 * DAY_MS) } },
  model: { partitions: 1, config: { 'retention.ms': String(90 * DAY_MS) } },
  // Read from its beginning on each takeover: small segments and an eager cleaner keep that short.
  state: {
    partitions: 4,
    config: {
      'cleanup.policy': 'compact',
      'segment.bytes': String(16 * MIB),
      'segment.ms': String(DAY_MS / 24),
      'min.cleanable.dirty.ratio': '0.1',
      // hippo tractor looks back two days, and must not list the failures of a hippo that was forgotten since.
      'delete.retention.ms': String(3 * DAY_MS),
    },
  },
};

/** What is dead-lettered is looked at by people: it stays longer than any weekend. */
const DLQ = { partitions: 1, config: { 'retention.ms': String(90 * DAY_MS) } };

/**
 * The topics that a hippo uses, with the settings that their use asks for.
 *
 * @param brokers how many brokers the cluster has: with three or more each record is kept on three, and two must have it
 */
export function topicSpecs(config: TopicUse, brokers = 1): TopicSpec[] {
  return [
    ...usedRoles(config).map((role) => specOf(topicName(config, role), SHAPES[role], brokers)),
    ...inputRoles(config).map((role) => specOf(dlqName(topicName(config, role)), DLQ, brokers)),
  ];
}

/** The topics of `stack.topics`: those of the data, which hippo itself neither reads nor writes. */
export function stackTopicSpecs({ topics }: Config['stack'], brokers = 1): TopicSpec[] {
  return Object.entries(topics).map(([topic, shape]) => specOf(topic, shape, brokers));
}

interface Shape {
  partitions: number;
  config: Record<string, string>;
}

function specOf(topic: string, { partitions, config }: Shape, brokers: number): TopicSpec {
  const replicationFactor = Math.min(Math.max(brokers, 1), 3);
  const safety: Record<string, string> = replicationFactor === 3 ? { 'min.insync.replicas': '2' } : {};
  return { topic, partitions, replicationFactor, config: { ...safety, ...config } };
}
