import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connectKafka } from '../../src/kafka/connect.ts';
import { testBrokers } from '../support/brokers.ts';
import { kafkaSettings, testKafka, testTopic } from '../support/kafka.ts';
import { until } from '../support/project.ts';

const openConnections = (): number =>
  process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;

test('closing while a connection is being opened leaves no connection that keeps the process alive', async () => {
  const topic = await testTopic(await testKafka());
  const before = openConnections();
  for (let step = 0; step < 60; step += 1) {
    const kafka = await connectKafka({ brokers: await testBrokers(), settings: kafkaSettings() });
    const reader = await kafka.reader({ from: [{ topic, partition: 0, offset: 0n }] });
    const reading = Array.fromAsync(reader);
    await sleep(step / 4);
    await kafka.close();
    await reader.close();
    expect(await reading).toEqual([]);
  }
  await until(() => openConnections() <= before, 'all connections are closed');
});
