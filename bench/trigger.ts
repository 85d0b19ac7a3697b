import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Contender, Race, Stage, Suite } from './harness.ts';
import { makeTopic } from './kafka.ts';

/** What hippo asks of the brokers, in librdkafka's words. */
const AS_SAFE = ['-X', 'enable.idempotence=true', '-X', 'acks=all'];
const MILLION = '1,000,000 events from a file';

/** Writing, always idempotent and acknowledged by all in-sync replicas, to a topic with four partitions. */
export const trigger: Suite = {
  name: 'trigger',
  async races(stage: Stage): Promise<Race[]> {
    const { brokers, events } = stage;
    const prefix = 'bench-trigger-';
    const topic = `${prefix}frontier-adw`;
    await makeTopic(brokers, topic, 4);
    stage.say('writing a file of 10,000,000 events');
    const large = join(stage.folder, 'events-10m.jsonl');
    for (let part = 0; part < 10; part += 1)
      await pipeline(createReadStream(events), createWriteStream(large, { flags: 'a' }));
    const hippo = (...flags: string[]): Contender => ({
      name: 'hippo trigger',
      pipeline: [[...stage.hippo, 'trigger', ...flags]],
      env: { HIPPO_BROKERS: brokers, HIPPO_CONFIG: '', HIPPO_PROFILE: '', HIPPO_TOPICS_PREFIX: prefix },
    });
    const kcat = ['kcat', '-P', '-b', brokers, '-t', topic, ...AS_SAFE];
    return [
      {
        what: MILLION,
        ours: hippo('--file', events),
        peers: [{ name: `kcat -P ${AS_SAFE.join(' ')} -l`, pipeline: [[...kcat, '-l', events]], reach: 0.5 }],
      },
      {
        what: 'memory while triggering 10,000,000 from a file',
        ours: hippo('--file', large),
        peers: [],
        memory: 200,
        rounds: 1,
      },
    ];
  },
};
