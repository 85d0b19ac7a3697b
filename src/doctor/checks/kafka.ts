import { HippoError } from '../../core/errors.ts';
import type { Broker, Kafka } from '../../kafka/port.ts';
import { type Check, type Finding, error, ok, skipped, warning } from '../check.ts';
import { sentence } from '../runner.ts';

/** Kafka answers and reports its cluster id. */
export const kafka: Check = {
  id: 'kafka',
  title: 'Kafka',
  category: 'kafka',
  about: 'each broker answers; cluster, round trip, controller',
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
