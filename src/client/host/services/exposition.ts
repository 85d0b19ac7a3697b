/**
 * The metrics of services among the client's own, in the text format of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */

/** What one program exposes. */
export interface Exposition {
  text: string;
  /** Added to each of its samples: name and value. */
  labels: readonly (readonly [name: string, value: string])[];
  /** It is the client's own: no other program's metrics may have names that begin with `hippo_`. */
  isOwn: boolean;
}

/** A metric with its comments and its samples: they must stand together, and its comments only once. */
interface Family {
  comments: Map<string, string>;
  samples: string[];
}

/** A name, perhaps labels, a value, perhaps a time. One line of another form makes Prometheus refuse all of them. */
const SAMPLE =
  /^([A-Za-z_:][\w:]*)(?:\{.*\})?[ \t]+[-+]?(?:[\d.]+(?:[eE][-+]?\d+)?|Inf|NaN)(?:[ \t]+-?\d+)?[ \t]*$/;

/** Whether a program that answers with this has told any metric. */
export function hasSamples(text: string): boolean {
  return text.split(/\r?\n/).some((line) => SAMPLE.test(line));
}

const RESERVED = 'hippo_';
const LABEL = /([A-Za-z_]\w*)=("(?:\\.|[^"\\])*")/g;
const SUFFIXES = /_(?:bucket|sum|count|total|created|info)$/;

/** All of them as one text. Of a metric that several expose, the first one's comments stand. */
export function mergeExpositions(expositions: readonly Exposition[]): string {
  const families = new Map<string, Family>();
  const familyOf = (name: string): Family => {
    const found = families.get(name) ?? { comments: new Map<string, string>(), samples: [] };
    families.set(name, found);
    return found;
  };
  for (const { text, labels, isOwn } of expositions) {
    const declared = new Set<string>();
    for (const line of text.split(/\r?\n/)) {
      const [, kind, commented = ''] = /^#\s+(HELP|TYPE)\s+(\S+)/.exec(line) ?? [];
      if (kind !== undefined) {
        declared.add(commented);
        if (!isOwn && commented.startsWith(RESERVED)) continue;
        const { comments } = familyOf(commented);
        if (!comments.has(kind)) comments.set(kind, line);
        continue;
      }
      const [, name = ''] = SAMPLE.exec(line) ?? [];
      if (name === '' || (!isOwn && name.startsWith(RESERVED))) continue;
      const base = name.replace(SUFFIXES, '');
      const family = !declared.has(name) && declared.has(base) ? base : name;
      familyOf(family).samples.push(labels.length === 0 ? line : withLabels(line, name, labels));
    }
  }
  const lines = [...families.values()].flatMap(({ comments, samples }) =>
    samples.length === 0 ? [] : [...comments.values(), ...samples],
  );
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** A label of that name that the program has itself is kept as `exported_…`, as Prometheus does it. */
function withLabels(line: string, name: string, labels: Exposition['labels']): string {
  const added = labels.map(([label, value]) => `${label}="${escape(value)}"`).join(',');
  const rest = line.slice(name.length);
  if (!rest.startsWith('{')) return `${name}{${added}}${rest}`;
  const names = labels.map(([label]) => label);
  const own = rest
    .slice(1)
    .replaceAll(LABEL, (whole, label: string, value: string) =>
      names.includes(label) ? `exported_${label}=${value}` : whole,
    );
  return own.trimStart().startsWith('}') ? `${name}{${added}${own.trimStart()}` : `${name}{${added},${own}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
