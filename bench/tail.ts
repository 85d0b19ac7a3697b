import { execa } from '../src/core/exec.ts';
import type { Contender, Race, Stage, Suite } from './harness.ts';
import { makeTopic } from './kafka.ts';

const MILLION = '1,000,000 events to a file';
const TABLE = 'table_0042';

/** Reading: against kcat, which is C and librdkafka, and against kcat and jq. */
export const tail: Suite = {
  name: 'tail',
  async races(stage: Stage): Promise<Race[]> {
    const { brokers, events } = stage;
    const topic = 'bench-tail';
    const large = 'bench-tail-10m';
    await makeTopic(brokers, topic, 4);
    await makeTopic(brokers, large, 4);
    stage.say('writing 11,000,000 events');
    for (const name of [topic, ...Array<string>(10).fill(large)])
      await execa('kcat', ['-P', '-b', brokers, '-t', name, '-l', events], { stdin: 'ignore' });
    const hippo = (name: string, of: string, ...flags: string[]): Contender => ({
      name,
      pipeline: [[...stage.hippo, 'tail', of, '--exit-at-end', ...flags]],
      env: stage.env,
    });
    const kcat = ['kcat', '-C', '-b', brokers, '-t', topic, '-e', '-q'];
    return [
      {
        what: `${MILLION}, raw`,
        ours: hippo('hippo tail --raw', topic, '--raw'),
        peers: [{ name: 'kcat -C', pipeline: [kcat], reach: 0.7 }],
      },
      {
        what: `${MILLION}, JSON envelope`,
        ours: hippo('hippo tail --json', topic, '--json'),
        peers: [{ name: 'kcat -C -J', pipeline: [[...kcat, '-J']], reach: 2 }],
      },
      {
        what: `${MILLION}, filtered on a field of the value`,
        ours: hippo('hippo tail --filter', topic, '--raw', '--filter', `value.table == "${TABLE}"`),
        peers: [
          {
            name: 'kcat -C | jq',
            pipeline: [kcat, ['jq', '-c', `select(.table == "${TABLE}")`]],
            reach: 3,
          },
        ],
      },
      {
        what: `${MILLION}, filtered by an order`,
        ours: hippo('hippo tail --filter', topic, '--raw', '--filter', 'value.exec_date > "1494390000"'),
        peers: [
          {
            name: 'kcat -C | jq',
            pipeline: [kcat, ['jq', '-c', 'select(.exec_date > "1494390000")']],
            reach: 1,
          },
        ],
      },
      {
        what: 'memory while tailing 10,000,000, JSON envelope',
        ours: hippo('hippo tail --json', large, '--json'),
        peers: [],
        memory: 200,
        rounds: 1,
      },
    ];
  },
};
