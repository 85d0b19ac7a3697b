import type { Contender, Race, Stage, Suite } from './harness.ts';

/** Of what takes a fraction of a second. */
export const SHORT_ROUNDS = 20;

/** The least that any program for Node takes: the same Node, and nothing to do. */
export const bareNode: Contender = { name: 'node -e 0', pipeline: [[process.execPath, '-e', '0']] };

/** What a person waits for before a command does anything: against a Node that does nothing. */
export const startup: Suite = {
  name: 'startup',
  races({ hippo }: Stage): Promise<Race[]> {
    const race = (...words: string[]): Race => {
      const what = ['hippo', ...words].join(' ');
      const ours = { name: what, pipeline: [[...hippo, ...words]] };
      return { what, ours, peers: [{ ...bareNode, reach: 1 / 2 }], rounds: SHORT_ROUNDS };
    };
    return Promise.resolve([race('--version'), race('trigger', '--help')]);
  },
};
