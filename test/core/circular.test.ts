import { describe, expect, it } from 'vitest';
import { circularNodes } from '../../src/core/circular.ts';

/** @param graph `a>b c` is a node and those after it */
function groupsOf(...graph: string[]): string[] {
  const next = new Map(
    graph.map((line): [string, string[]] => {
      const [node = '', after = ''] = line.split('>');
      return [node, after.split(' ').filter((name) => name !== '')];
    }),
  );
  const found = circularNodes(next.keys(), (node) => next.get(node) ?? []);
  const groups = Map.groupBy(found, ([, group]) => group);
  return [...groups.values()]
    .map((members) =>
      members
        .map(([node]) => node)
        .sort()
        .join(''),
    )
    .sort();
}

describe('the nodes of a graph from which a way leads back to them', () => {
  it.each<[title: string, graph: string[], groups: string[]]>([
    ['none of a chain', ['a>b', 'b>c', 'c>'], []],
    ['none of a diamond', ['a>b c', 'b>d', 'c>d', 'd>'], []],
    ['a node that follows itself', ['a>b', 'b>b'], ['b']],
    ['two circles, one before the other', ['a>b', 'b>a c', 'c>d', 'd>c'], ['ab', 'cd']],
    ['circles that share a node', ['x>a', 'a>b', 'b>a c', 'c>b y', 'y>'], ['abc']],
    ['a circle that is come to twice', ['a>c', 'b>c', 'c>d', 'd>e', 'e>c'], ['cde']],
  ])('%s', (_, graph, groups) => {
    expect(groupsOf(...graph)).toEqual(groups);
  });

  it('of a long way need no stack', () => {
    const last = 200_000;
    const all = Array.from({ length: last + 1 }, (_, index) => index);
    expect(circularNodes(all, (node) => (node < last ? [node + 1] : [])).size).toBe(0);
    expect(circularNodes(all, (node) => [node < last ? node + 1 : 0]).size).toBe(last + 1);
  });
});
