import type { Receiver } from '../../alerts/index.ts';
import { tryToConnect } from '../../core/connect.ts';
import { ALERT_CONDITIONS } from '../../messages/index.ts';
import { type Check, type Diagnosis, type Finding, ok, skipped, warning } from '../check.ts';

/** How long a receiver may take to accept a connection, milliseconds. */
const PATIENCE = 5_000;

/** Whether the receivers of alerts can be reached from here, and whether each alert has one. Nothing is sent. */
export const alerts: Check = {
  id: 'alerts',
  title: 'Alerts',
  category: 'kafka',
  about: 'the receivers of alerts: reachable, each alert has one',
  async run({ project }, signal): Promise<Diagnosis> {
    if (project.state !== 'loaded') return skipped('There is no hippo.yaml here or above with alerts');
    if (project.loaded.config.alerts === undefined) return skipped('hippo.yaml has no alerts');
    const { compileReceivers } = await import('../../alerts/index.ts');
    // What cannot be compiled is a finding of the check of hippo.yaml.
    const receivers = compileReceivers(project.loaded, []);
    if (receivers.length === 0) {
      const remedy = { commands: [], text: 'Add one to alerts.receivers: docs/ALERTS.md.' };
      const text = 'alerts has no receivers: alerts are published, and no person is told';
      return { summary: 'no receivers', findings: [warning(text, remedy)] };
    }
    const looks = await Promise.all(
      receivers.map((receiver) => look(receiver, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]))),
    );
    return {
      summary: `${receivers.length} receiver${receivers.length === 1 ? '' : 's'}`,
      findings: [...looks, ...withoutReceiver(receivers)],
    };
  },
};

/** The client may run on another machine, so what cannot be reached from here is no error. */
async function look({ name, place, address }: Receiver, signal: AbortSignal): Promise<Finding> {
  const why = await whyUnreachable(address, signal);
  if (why === null) return ok(`${name}: ${place} accepts connections`);
  const remedy = { commands: [`hippo alerts test ${name}`] };
  return warning(`${name}: ${place} cannot be reached from this machine: ${why}`, remedy);
}

async function whyUnreachable(address: Receiver['address'], signal: AbortSignal): Promise<string | null> {
  const failure = await tryToConnect(address, signal);
  if (failure === null) return null;
  const place = `${address.host}:${address.port}`;
  return failure.kind === 'silent' ? `${place} does not answer` : `${place}: ${failure.code}`;
}

function withoutReceiver(receivers: readonly Receiver[]): Finding[] {
  const missing = ALERT_CONDITIONS.filter((condition) =>
    receivers.every(({ policy }) => policy.conditions?.has(condition) === false),
  );
  if (missing.length === 0) return [];
  return [warning(`No receiver is told of alerts of the kinds ${missing.join(', ')}`)];
}
