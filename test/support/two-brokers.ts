import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type RunningBroker, startBroker } from '../../src/stack/broker.ts';
import type { KafkaDistribution } from '../../src/stack/distribution.ts';
import type { BrokerProperties } from '../../src/stack/properties.ts';
import { endProcessesBelow } from './end-processes.ts';
import { makeFolder } from './folder.ts';

export interface RestartableBroker extends RunningBroker {
  /** Starts it again, on the same port. */
  restart(): Promise<RunningBroker>;
}

/**
 * A cluster of two: the first is the controller, the second a broker only. Both end with the test.
 *
 * @param kafka left out: the newest
 */
export async function startCluster(
  more: BrokerProperties = {},
  kafka?: KafkaDistribution,
): Promise<[RunningBroker, RestartableBroker]> {
  const folder = await makeFolder('cluster');
  onTestFinished(() => endProcessesBelow(folder));
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  const first = await startBroker({ directory: one, properties: more, ...(kafka && { kafka }) });
  const [, voters = ''] = /^controller\.quorum\.voters=(.*)$/m.exec(
    await readFile(join(one, 'server.properties'), 'utf8'),
  )!;
  const identity = await readFile(join(one, 'data', 'meta.properties'), 'utf8');
  await mkdir(join(two, 'data'), { recursive: true });
  await writeFile(
    join(two, 'data', 'meta.properties'),
    identity.replace(/^node\.id=.*/m, 'node.id=2').replace(/^directory\.id=.*\n/m, ''),
  );
  const startSecond = (): Promise<RunningBroker> =>
    startBroker({
      directory: two,
      ...(kafka && { kafka }),
      properties: ({ client }) => ({
        ...more,
        'process.roles': 'broker',
        'node.id': '2',
        'controller.quorum.voters': voters,
        listeners: `PLAINTEXT://127.0.0.1:${client}`,
      }),
    });
  return [first, { ...(await startSecond()), restart: startSecond }];
}
