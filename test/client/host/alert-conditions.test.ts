import { afterEach, describe, expect, it, vi } from 'vitest';
import { DeniedError } from '../../../src/kafka/failures.ts';
import { HOUR } from '../machine/hippo.ts';
import { EACH, Owned, until } from './owned.ts';

vi.setConfig({ testTimeout: 60_000 });

const owners: Owned[] = [];
function owned(options: ConstructorParameters<typeof Owned>[1] = {}): Owned {
  const one = new Owned({ load: EACH }, { alerts: { receivers: [], lettersQuiet: HOUR }, ...options });
  owners.push(one);
  return one;
}
afterEach(async () => {
  vi.useRealTimers();
  for (const one of owners.splice(0)) await one.lose();
});

const told = ({ kafka }: Owned): string[] =>
  kafka.records('hippo-alert').map(({ value }) => {
    const { state, condition, subject } = JSON.parse(String(value)) as Record<string, string>;
    return `${state} ${condition} of ${subject}`;
  });
const malformed = ({ kafka }: Owned): unknown =>
  kafka.produce({ topic: 'frontier-adw', key: 'x', value: 'no message' });

const deny = ({ kafka }: Owned): void => {
  kafka.beforeWrite = (records) => {
    if (!records.some(({ topic }) => topic === 'frontier-adw.dlq')) return;
    throw new DeniedError(
      'Kafka denies this user the operation Write on topic frontier-adw.dlq',
      { operation: 'Write', resource: { type: 'topic', name: 'frontier-adw.dlq' } },
      {},
    );
  };
};

describe('an owner', () => {
  it('alerts dead letters in the transaction that writes the first of them, once, also after a takeover', async () => {
    const client = owned();
    const written: string[][] = [];
    client.kafka.beforeWrite = (records) => void written.push(records.map(({ topic }) => topic));
    void client.own();
    malformed(client);
    await until('it alerts', () => told(client).length > 0);
    const together = written.find((topics) => topics.includes('hippo-alert'));
    expect(together).toEqual(expect.arrayContaining(['frontier-adw.dlq', 'hippo-state']));
    await client.lose();
    malformed(client);
    const next = owned({ kafka: client.kafka });
    void next.own();
    await until('both are set aside', () => client.kafka.records('frontier-adw.dlq').length === 2);
    await until('it has counted both', () => [...next.owner.view.state.alerts.values()][0]?.count === 2);
    expect(told(client)).toEqual(['firing dead-letters of frontier-adw']);
  });

  it('alerts a right that is denied, and resolves it when it has it', async () => {
    const client = owned();
    deny(client);
    vi.useFakeTimers({ toFake: ['performance'] });
    malformed(client);
    void client.own();
    await until('it alerts', () => told(client).length > 0);
    // Everything that is told again after a new start has been told by now.
    const pass = async (seconds: number): Promise<void> => {
      for (let passed = 0; passed < seconds; passed += 5) {
        vi.advanceTimersByTime(5_000);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    };
    await pass(80);
    expect(told(client)).toEqual(['firing denied of frontier-adw.dlq']);
    client.kafka.beforeWrite = () => undefined;
    await pass(80);
    await until('it is over', () => told(client).some((text) => text.startsWith('resolved')));
    expect(told(client).filter((text) => text.includes('denied'))).toEqual([
      'firing denied of frontier-adw.dlq',
      'resolved denied of frontier-adw.dlq',
    ]);
    expect(told(client)).toContain('firing dead-letters of frontier-adw');
  });

  it('with --once alerts what is denied before it ends', async () => {
    const client = owned({ once: true });
    deny(client);
    malformed(client);
    await expect(client.own()).rejects.toThrow('denies');
    expect(told(client)).toEqual(['firing denied of frontier-adw.dlq']);
  });
});
