import { createReadStream, createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { consoleProducer } from './console-producer.ts';
import type { Contender, Race, Stage, Suite } from './harness.ts';
import { makeTopic } from './kafka.ts';
import { bareNode, SHORT_ROUNDS } from './startup.ts';

/** What hippo asks of the brokers, in librdkafka's words. */
const AS_SAFE = ['-X', 'enable.idempotence=true', '-X', 'acks=all'];
const EVENT =
  '{"table":"party","partition":[{"name":"yyyymm","value":"201704"}],"db":"btd","method":"partition","exec_date":"1493394946"}';
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
      env: { ...stage.env, HIPPO_TOPICS_PREFIX: prefix },
    });
    const kcat = ['kcat', '-P', '-b', brokers, '-t', topic, ...AS_SAFE];
    const one = join(stage.folder, 'event.json');
    await writeFile(one, `${EVENT}\n`);
    const java = await consoleProducer((text) => stage.say(text));
    return [
      {
        what: 'one event, acknowledged',
        ours: hippo('--table', 'btd.party', '--partition', 'yyyymm=201704'),
        peers: [
          { ...bareNode, reach: 1 / 3 },
          { name: `kcat -P ${AS_SAFE.join(' ')}`, pipeline: [[...kcat, '-l', one]], reach: 1 / 6 },
          ...(java === undefined
            ? []
            : [
                {
                  name: "Kafka's console producer",
                  pipeline: [
                    ['cat', one],
                    [...java, '--bootstrap-server', brokers, '--topic', topic],
                  ],
                  reach: 6,
                },
              ]),
        ],
        rounds: SHORT_ROUNDS,
      },
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
