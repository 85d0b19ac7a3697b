import type { Contender, Race, Stage, Suite } from './harness.ts';

/** Of commands that take a fraction of a second. */
export const SHORT_ROUNDS = 30;

/** The same Node, with nothing to do: no program for Node starts faster. */
export const bareNode: Contender = { name: 'node -e 0', pipeline: [[process.execPath, '-e', '0']] };

/**
 * How long a person waits before a command does anything: at most 1.35 times as long as for a bare Node. The third row of
 * this kind is one acknowledged event, at most 3 times as long (bench/trigger.ts). docs/decisions/code-cache.md has the reasons.
 */
export const startup: Suite = {
  name: 'startup',
  races({ hippo }: Stage): Promise<Race[]> {
    const race = (...words: string[]): Race => {
      const what = ['hippo', ...words].join(' ');
      const ours = { name: what, pipeline: [[...hippo, ...words]] };
      return { what, ours, peers: [{ ...bareNode, reach: 1 / 1.35 }], rounds: SHORT_ROUNDS };
    };
    return Promise.resolve([race('--version'), race('trigger', '--help')]);
  },
};
