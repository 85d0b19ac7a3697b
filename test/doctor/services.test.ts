import { expect, it } from 'vitest';
import { findingsOf } from '../../src/doctor/checks/services.ts';

const client = '10.0.0.7, pid 42';

it('doctor names each service that needs a person, and how to start it', () => {
  const told = [
    { client, name: 'api', status: 'ready', error: null },
    { client, name: 'stream', status: 'given-up', error: 'it ended with exit code 3' },
    { client, name: 'page', status: 'paused', error: null },
    { client, name: 'slow', status: 'restarting', error: 'it ended with exit code 1' },
  ];
  expect(findingsOf(told)).toEqual([
    {
      status: 'error',
      text: 'Service stream is given up at 10.0.0.7, pid 42, because it ended again and again: it ended with exit code 3',
      remedy: { commands: ['hippo job resume stream'] },
    },
    {
      status: 'warning',
      text: 'Service page is paused at 10.0.0.7, pid 42',
      remedy: { commands: ['hippo job resume page'] },
    },
    { status: 'warning', text: 'Service slow is restarting at 10.0.0.7, pid 42: it ended with exit code 1' },
  ]);
});

it('where all are fine it says so once', () => {
  expect(findingsOf([{ client, name: 'api', status: 'ready', error: null }])).toEqual([
    { status: 'ok', text: 'Services: api ready' },
  ]);
  expect(findingsOf([])).toEqual([]);
});
