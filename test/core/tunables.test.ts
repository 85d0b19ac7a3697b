import { expect, test } from 'vitest';
import { forgetTunables } from '../../src/core/tunables.ts';

test('what bin/run.js has set for the client alone is not inherited by its jobs', () => {
  const env = {
    HIPPO_GLIBC_TUNABLES: 'hippo',
    GLIBC_TUNABLES: 'glibc.malloc.trim_threshold=65536',
    HOME: '/h',
  };
  forgetTunables(env);
  expect(env).toEqual({ HOME: '/h' });
});

test('what the user has set stays', () => {
  const env = { GLIBC_TUNABLES: 'glibc.malloc.arena_max=1' };
  forgetTunables(env);
  expect(env).toEqual({ GLIBC_TUNABLES: 'glibc.malloc.arena_max=1' });
});
