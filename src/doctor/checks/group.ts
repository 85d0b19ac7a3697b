import type { GroupInfo } from '../../kafka/port.ts';
import { type InputProgress, inputProgress } from '../../observe/index.ts';
import { clientCommandFor } from '../../core/environment/index.ts';
import { type Check, type Finding, error, ok, warning } from '../check.ts';
import { aboutHippo } from './hippo.ts';
import { findingsOf, pointersOf, toldServices } from './services.ts';

/** This hippo's consumer group: its owner, its standbys and its lag. */
export const group: Check = {
  id: 'group',
  title: 'Client',
  category: 'kafka',
  about: "this hippo's clients: owner, standbys, lag, services",
  run: aboutHippo(
    'hippo.yaml has no jobs, sources or services: no client is needed',
    async (kafka, project, { cwd }) => {
      const start = clientCommandFor(project.file, cwd);
      const { info, inputs } = await inputProgress(kafka, project.loaded.config, project.hippo);
      const told =
        Object.keys(project.loaded.config.services).length > 0 && info.members.length > 0
          ? await toldServices(kafka, project.loaded, project.hippo)
          : null;
      const pointers = told === null ? undefined : await pointersOf(kafka, project.loaded, project.hippo);
      return {
        summary: summarise(info),
        findings: [membership(info, inputs, start), ...losses(inputs), ...findingsOf(told ?? [], pointers)],
      };
    },
  ),
};

function summarise({ state, members }: GroupInfo): string {
  if (state === 'Unknown') return 'unknown protocol';
  if (members.length === 0) return 'not running';
  return members.length === 1 ? 'running' : `running, ${members.length - 1} standing by`;
}

function membership(
  { group: name, state, members }: GroupInfo,
  progress: readonly InputProgress[],
  start: string,
): Finding {
  const remedy = { commands: [start] };
  const behind = lag(progress);
  const waiting = `${behind} ${behind === 1n ? 'message waits' : 'messages wait'}`;
  const started = progress.some(({ next }) => next !== undefined);
  switch (state) {
    case 'Unknown':
      return error(
        `Group ${name} uses a protocol that hippo does not speak (KIP-848): another kind of client holds it`,
        {
          commands: [],
          text: 'Stop that client, or set its group.protocol to "classic" and another group id.',
        },
      );
    case 'Stable': {
      const owners = members.map(
        ({ clientId, clientHost }) => `${clientId} at ${clientHost.replace(/^\//, '')}`,
      );
      const text = `Group ${name}: ${owners.join(', ')}; lag ${behind}`;
      return behind > 10_000n ? warning(text, { commands: ['hippo tail --stats'] }) : ok(text);
    }
    case 'PreparingRebalance':
    case 'CompletingRebalance':
      return warning(`Group ${name} is rebalancing: a client is coming or going`, {
        commands: [],
        text: 'Check again in a moment.',
      });
    case 'Empty':
    case 'Dead':
      return started
        ? warning(`No client of group ${name} runs: ${waiting}`, remedy)
        : warning(`No client of group ${name} has ever run`, remedy);
  }
}

/**
 * The messages between what the client has read and the end. Its state has all partitions together: one without a position among
 * others was added since, and is read from its beginning.
 */
function lag(progress: readonly InputProgress[]): bigint {
  if (progress.every(({ next }) => next === undefined)) return 0n;
  return progress.reduce((sum, { next, low, high }) => {
    const from = next === undefined || next < low ? low : next;
    return sum + (high > from ? high - from : 0n);
  }, 0n);
}

/** Messages that retention deleted before the client read them. */
function losses(progress: readonly InputProgress[]): Finding[] {
  return progress.flatMap(({ topic, partition, next, low }) => {
    if (next === undefined || next >= low) return [];
    const count = low - next;
    const messages = count === 1n ? 'message was' : 'messages were';
    const text = `${topic}[${partition}]: ${count} ${messages} deleted by retention before the client read ${count === 1n ? 'it' : 'them'}`;
    return [
      error(text, {
        commands: [`hippo tail ${topic} --from beginning`],
        text: 'Trigger what is missing again.',
      }),
    ];
  });
}
