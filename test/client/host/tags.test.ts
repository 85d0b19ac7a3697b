import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { attemptTag, ownerTag, sparkTags } from '../../../src/client/host/tags.ts';

const any = fc.nat(0xffff).map((code) => String.fromCharCode(code));
const attempt = fc.record({
  job: fc.string(),
  key: fc.string({ unit: any }),
  jobId: fc.string(),
  attemptId: fc.string(),
});

it('tags are lower case, short and harmless, whatever a message has brought', () => {
  fc.assert(
    fc.property(fc.string({ unit: any }), attempt, (owner, given) => {
      for (const tag of Object.values(sparkTags(owner, given)))
        expect(tag).toMatch(/^hippo-[a-z]+-[0-9a-f]{16}$/);
    }),
  );
});

it('tags are shared by what belongs together, from wide to narrow', () => {
  const first = { job: 'load', key: '201704', jobId: 'load_1', attemptId: 'load-1-1' };
  const tags = sparkTags('c/flights', first);
  const shared = (owner: string, given: typeof first): string[] => {
    const other = sparkTags(owner, given);
    return (['owner', 'run', 'firing', 'attempt'] as const).filter((scope) => other[scope] === tags[scope]);
  };
  expect(shared('c/flights', first)).toEqual(['owner', 'run', 'firing', 'attempt']);
  expect(shared('c/flights', { ...first, attemptId: 'load-1-2' })).toEqual(['owner', 'run', 'firing']);
  expect(shared('c/flights', { ...first, jobId: 'load_2', attemptId: 'load-2-1' })).toEqual(['owner', 'run']);
  expect(shared('c/flights', { ...first, key: '201705', attemptId: 'x' })).toEqual(['owner']);
  expect(shared('another/flights', first)).toEqual([]);
  expect(shared('c/uat-/flights', first)).toEqual([]);
  expect([ownerTag('c/flights'), attemptTag('c/flights', 'load-1-1')]).toEqual([tags.owner, tags.attempt]);
});
