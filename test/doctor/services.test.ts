import { expect, it } from 'vitest';
import { findingsOf } from '../../src/doctor/checks/services.ts';

const client = '10.0.0.7, pid 42';

it('doctor names each service that needs a person, and how to start it', () => {
  const told = [
    { client, name: 'api', status: 'ready', error: null, models: {} },
    { client, name: 'stream', status: 'given-up', error: 'it ended with exit code 3', models: {} },
    { client, name: 'page', status: 'paused', error: null, models: {} },
    { client, name: 'slow', status: 'restarting', error: 'it ended with exit code 1', models: {} },
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
  expect(findingsOf([{ client, name: 'api', status: 'ready', error: null, models: {} }])).toEqual([
    { status: 'ok', text: 'Services: api ready' },
  ]);
  expect(findingsOf([])).toEqual([]);
});

it('a version of a model that a service does not serve is told, once it had the time to load it', () => {
  const pointers = new Map([['iris', { version: 'v2', since: 0 }]]);
  const api = { client, name: 'api', status: 'ready', error: null };
  const texts = (version: string | null, now: number, status = 'ready'): string[] =>
    findingsOf([{ ...api, status, models: { iris: version } }], pointers, now).map(({ text }) => text);
  expect(texts('v1', 120_000)).toEqual([
    'Service api at 10.0.0.7, pid 42 does not serve v2 of iris, but v1 instead',
  ]);
  expect(texts(null, 120_000, 'starting')).toEqual([
    'Service api at 10.0.0.7, pid 42 does not serve v2 of iris, but no version of it',
  ]);
  expect(texts('v1', 30_000)).toEqual(['Services: api ready']);
  expect(texts('v2', 120_000)).toEqual(['Services: api ready']);
});
