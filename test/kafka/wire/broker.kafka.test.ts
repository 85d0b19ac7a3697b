import { expect, onTestFinished, test } from 'vitest';
import { connectionSettings } from '../../../src/kafka/settings.ts';
import { Broker } from '../../../src/kafka/wire/broker.ts';
import { Fetch } from '../../../src/kafka/wire/requests/fetch.ts';
import { ListGroups } from '../../../src/kafka/wire/requests/kafkajs.ts';
import { testBrokers } from '../../support/brokers.ts';
import { kafkaSettings, testKafka, testTopic } from '../../support/kafka.ts';

async function brokerUnderTest(): Promise<Broker> {
  const settings = connectionSettings(await testBrokers(), kafkaSettings());
  const broker = new Broker(settings.brokers[0]!, settings);
  onTestFinished(() => broker.close());
  return broker;
}

test('a request in versions that the broker does not speak is not sent', async () => {
  const broker = await brokerUnderTest();
  const newer = { ...ListGroups, versions: { min: 900, max: 999 } };
  await expect(broker.send(newer, {})).rejects.toMatchObject({
    type: 'UNSUPPORTED_VERSION',
    message: expect.stringMatching(
      /^The broker speaks versions \d+ to \d+ of the request ListGroups, hippo versions 900 to 999\.$/,
    ) as string,
  });
  await expect(broker.send(ListGroups, {})).resolves.toMatchObject({ errorCode: 0 });
});

test('a request that waits for its response fails when the connection is closed, and no new connection is opened', async () => {
  const broker = await brokerUnderTest();
  const kafka = await testKafka();
  const [info] = await kafka.topics([await testTopic(kafka)]);
  const topicId = info?.topicId ?? '';
  const request = { maxWait: 10_000, maxBytes: 1, maxBytesPerPartition: 1, readCommitted: false };
  const asked = broker.send(Fetch, { ...request, partitions: [{ topicId, partition: 0, offset: 0n }] });
  // Another connection than the fetch's: the fetch has been sent when this is answered.
  await broker.send(ListGroups, {});
  broker.close();
  await expect(asked).rejects.toThrow('the connection was closed');
  await expect(broker.send(ListGroups, {})).rejects.toThrow('the connection was closed');
});
