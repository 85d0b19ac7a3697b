import { HippoError } from '../../core/errors.ts';
import { DeniedError, FencedError } from '../../kafka/failures.ts';
import type { Broker, Kafka } from '../../kafka/port.ts';
import { type Check, type Finding, error, ok, skipped, warning } from '../check.ts';
import { sentence } from '../runner.ts';

/** Kafka answers and reports its cluster id. */
export const kafka: Check = {
  id: 'kafka',
  title: 'Kafka',
  category: 'kafka',
  about: 'each broker answers; controller, transactions',
  async run(environment) {
    if (environment.project.state === 'broken')
      return skipped('hippo.yaml cannot be used: the brokers are not known');
    const cluster = await environment.kafka();
    const { clusterId, brokers, controller } = await cluster.cluster();
    const trips = await Promise.all(brokers.map((broker) => askBroker(cluster, broker)));
    const findings: Finding[] = [];
    const answered = brokers.filter((_, index) => typeof trips[index] === 'number');
    if (answered.length > 0) {
      const nodes = answered.map(({ nodeId, host, port }) => `${nodeId} at ${host}:${port}`).join(', ');
      findings.push(ok(`cluster ${clusterId}, broker ${nodes}; round trip ${shown(slowest(trips))} ms`));
    }
    for (const failure of trips)
      if (typeof failure !== 'number')
        findings.push(error(sentence(failure), { commands: failure.next.filter(isOther) }));
    if (answered.length > 0) findings.push(await tryTransaction(cluster));
    if (controller === null || controller < 0) {
      findings.push(
        warning('The cluster has no controller at the moment: topics cannot be created or changed'),
      );
    }
    if (slowest(trips) > 1000)
      findings.push(warning('The brokers answer slowly: a second and more for one request'));
    return { summary: summarise(answered.length, brokers.length), findings };
  },
};

/**
 * A transactional id of the doctor's own. The name of a hippo's group, its transactional id, begins with `hippo.`, so no client
 * is fenced; an ACL for all ids that begin with `hippo` covers it.
 */
const TRANSACTIONAL_ID = 'hippo-doctor';

/**
 * Asks the transaction coordinator for a producer, as a client does before its first transaction. The coordinator answers
 * after it has written to its own log, with the replicas that the brokers' settings demand: that is the step which fails if
 * those cannot be met. A transaction is not begun, because its end would leave a marker in a topic of the hippo's. What
 * stays is the transactional id, which Kafka forgets after a week.
 */
async function tryTransaction(cluster: Kafka): Promise<Finding> {
  try {
    const producer = await cluster.transactionalProducer(TRANSACTIONAL_ID);
    await producer.close();
    return ok('transactions work: the coordinator accepts a producer');
  } catch (thrown) {
    if (thrown instanceof DeniedError)
      return { status: 'skipped', text: `Transactions were not tried. ${sentence(thrown)}` };
    // Another doctor has asked at the same time.
    if (thrown instanceof FencedError) return ok('transactions work: the coordinator accepts a producer');
    if (!(thrown instanceof HippoError)) throw thrown;
    return error(`No client can write: ${sentence(thrown)}`, { commands: thrown.next.filter(isOther) });
  }
}

/** How long an answer took, milliseconds, or why there was none. */
type Trip = number | HippoError;

async function askBroker(cluster: Kafka, broker: Broker): Promise<Trip> {
  try {
    return await cluster.roundTrip(broker);
  } catch (thrown) {
    if (thrown instanceof HippoError) return thrown;
    throw thrown;
  }
}

/** Not the check that is running. */
const isOther = (step: string): boolean => !step.startsWith('hippo doctor');

function slowest(trips: readonly Trip[]): number {
  return Math.max(0, ...trips.filter((trip) => typeof trip === 'number'));
}

function shown(millis: number): string {
  return millis < 10 ? millis.toFixed(1) : String(Math.round(millis));
}

function summarise(answered: number, all: number): string {
  const brokers = all === 1 ? '1 broker' : `${all} brokers`;
  return answered === all ? brokers : `${answered} of ${brokers} ${all === 1 ? 'answers' : 'answer'}`;
}

/** Why topics and groups cannot be checked, or undefined if they can. */
export async function unreachable(environment: Parameters<Check['run']>[0]): Promise<string | undefined> {
  if (environment.project.state === 'broken') return 'hippo.yaml cannot be used: see above';
  return environment.kafka().then(
    () => undefined,
    () => 'Kafka cannot be reached: see above',
  );
}
