import { type Check, type Finding, ok, skipped, warning } from '../check.ts';

/** Kafka answers and reports its cluster id. */
export const kafka: Check = {
  id: 'kafka',
  title: 'Kafka',
  category: 'kafka',
  about: 'the brokers answer; cluster, round trip, controller',
  async run(environment) {
    if (environment.project.state === 'broken')
      return skipped('hippo.yaml cannot be used: the brokers are not known');
    const cluster = await environment.kafka();
    const started = performance.now();
    const { clusterId, brokers, controller } = await cluster.cluster();
    const trip = performance.now() - started;
    const nodes = brokers.map(({ nodeId, host, port }) => `${nodeId} at ${host}:${port}`).join(', ');
    const findings: Finding[] = [
      ok(
        `cluster ${clusterId}, broker ${nodes}; round trip ${trip < 10 ? trip.toFixed(1) : Math.round(trip)} ms`,
      ),
    ];
    if (controller === null || controller < 0) {
      findings.push(
        warning('The cluster has no controller at the moment: topics cannot be created or changed'),
      );
    }
    if (trip > 1000) findings.push(warning('The brokers answer slowly: a second and more for one request'));
    return { summary: `${brokers.length} broker${brokers.length === 1 ? '' : 's'}`, findings };
  },
};

/** Why topics and groups cannot be checked, or undefined if they can. */
export async function unreachable(environment: Parameters<Check['run']>[0]): Promise<string | undefined> {
  if (environment.project.state === 'broken') return 'hippo.yaml cannot be used: see above';
  return environment.kafka().then(
    () => undefined,
    () => 'Kafka cannot be reached: see above',
  );
}
