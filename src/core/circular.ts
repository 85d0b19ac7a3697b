/** A node on the way, or done. */
interface Visit<Node> {
  readonly node: Node;
  /** When it was come to. */
  readonly index: number;
  /** The earliest node on the way that can be reached from it. */
  low: number;
  /** Its component is not whole yet. */
  isOpen: boolean;
  isNextOfItself: boolean;
  readonly rest: Iterator<Node>;
}

/**
 * Finds the nodes of a graph from which a way leads back to them: its strongly connected components (Tarjan, 1972), without the
 * nodes that are alone. Takes time in proportion to the graph, and no stack.
 *
 * @returns node → a number that those of its component share
 */
export function circularNodes<Node>(
  nodes: Iterable<Node>,
  nextOf: (node: Node) => Iterable<Node>,
): Map<Node, number> {
  const found = new Map<Node, number>();
  const visits = new Map<Node, Visit<Node>>();
  const open: Visit<Node>[] = [];
  const visit = (node: Node): Visit<Node> => {
    const index = visits.size;
    const rest = nextOf(node)[Symbol.iterator]();
    const made = { node, index, low: index, isOpen: true, isNextOfItself: false, rest };
    visits.set(node, made);
    open.push(made);
    return made;
  };
  const close = (root: Visit<Node>): void => {
    const members = open.splice(open.lastIndexOf(root));
    for (const member of members) {
      member.isOpen = false;
      if (members.length > 1 || root.isNextOfItself) found.set(member.node, root.index);
    }
  };
  for (const start of nodes) {
    const way = visits.has(start) ? [] : [visit(start)];
    for (let here = way.at(-1); here !== undefined; here = way.at(-1)) {
      const next = here.rest.next();
      if (next.done === true) {
        way.pop();
        const before = way.at(-1);
        if (before !== undefined) before.low = Math.min(before.low, here.low);
        if (here.low === here.index) close(here);
        continue;
      }
      const known = visits.get(next.value);
      if (known === undefined) way.push(visit(next.value));
      else if (known.isOpen) here.low = Math.min(here.low, known.index);
      if (known === here) here.isNextOfItself = true;
    }
  }
  return found;
}
