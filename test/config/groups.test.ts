import { expect, it, test } from 'vitest';
import { groupName, identityOf, identityOfGroup, parseIdentity } from '../../src/config/groups.ts';
import { parseConfig } from '../../src/config/schema.ts';
import { knownHippos } from '../../src/kafka/groups.ts';

const prefixed = (prefix: string) => parseConfig({ topics: { prefix } });

test.each([
  ['', 'flights', 'flights', 'hippo.flights'],
  ['uat-', 'flights', 'uat-/flights', 'hippo.uat-/flights'],
  ['a.b_c', 'x.y-z', 'a.b_c/x.y-z', 'hippo.a.b_c/x.y-z'],
])('prefix "%s" and name %s are %s, in group %s', (prefix, name, identity, group) => {
  expect(identityOf(prefixed(prefix), name)).toBe(identity);
  expect(groupName(identity)).toBe(group);
  expect(parseIdentity(identityOfGroup(group))).toEqual({ prefix, name });
});

it('the hippos of a prefix are told from those of other prefixes, also of one that begins alike', async () => {
  const all = ['hippo.etl', 'hippo.uat-/etl', 'hippo.uat-/sales', 'hippo.uat-2/etl', 'hippo.u/at-', 'mine'];
  const kafka = {
    groups: (prefix = '') =>
      Promise.resolve(
        all
          .filter((group) => group.startsWith(prefix))
          .map((group) => ({ group, state: 'Stable' as const, members: [] })),
      ),
  };
  const known = async (prefix: string): Promise<string[]> =>
    (await knownHippos(kafka, prefixed(prefix))).map(({ hippo }) => hippo);
  expect(await known('')).toEqual(['etl']);
  expect(await known('uat-')).toEqual(['etl', 'sales']);
  expect(await known('uat')).toEqual([]);
});
