import { expect, it } from 'vitest';
import { StateTopic } from '../../../src/client/host/state-topic.ts';
import type { Kafka } from '../../../src/kafka/port.ts';
import { MemoryKafka } from '../../support/memory-kafka.ts';

it('a search that is stopped while it writes its probe does not wait for it', async () => {
  const kafka = new MemoryKafka();
  kafka.create('hippo-state');
  const stop = new AbortController();
  // The transaction of another producer hides the probe, for ever.
  kafka.hides = ({ key }) => key?.toString() === 'etl/probe';
  kafka.beforeWrite = () => stop.abort(new Error('stopped'));
  const topic = StateTopic.of(kafka as unknown as Kafka, 'hippo-state', 'etl', 1);
  const found = topic.find(await kafka.transactionalProducer(), {
    signal: stop.signal,
    onWait: () => undefined,
  });
  await expect(found).rejects.toThrow('stopped');
});
