/**
 * The metrics of services among the client's own, in the text format of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */

/** What one program exposes. */
export interface Exposition {
  text: string;
  /** Added to each of its samples; null: none. */
  label: { name: string; value: string } | null;
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

const SUFFIXES = /_(?:bucket|sum|count|total|created|info)$/;

/** All of them as one text. Of a metric that several expose, the first one's comments stand. */
export function mergeExpositions(expositions: readonly Exposition[]): string {
  const families = new Map<string, Family>();
  const familyOf = (name: string): Family => {
    const found = families.get(name) ?? { comments: new Map<string, string>(), samples: [] };
    families.set(name, found);
    return found;
  };
  for (const { text, label } of expositions) {
    const declared = new Set<string>();
    for (const line of text.split(/\r?\n/)) {
      const [, kind, commented = ''] = /^#\s+(HELP|TYPE)\s+(\S+)/.exec(line) ?? [];
      if (kind !== undefined) {
        declared.add(commented);
        const { comments } = familyOf(commented);
        if (!comments.has(kind)) comments.set(kind, line);
        continue;
      }
      const [, name = ''] = SAMPLE.exec(line) ?? [];
      if (name === '') continue;
      const base = name.replace(SUFFIXES, '');
      const family = !declared.has(name) && declared.has(base) ? base : name;
      familyOf(family).samples.push(label === null ? line : withLabel(line, name, label));
    }
  }
  const lines = [...families.values()].flatMap(({ comments, samples }) =>
    samples.length === 0 ? [] : [...comments.values(), ...samples],
  );
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** A label of that name that the program has itself is kept as `exported_…`, as Prometheus does it. */
function withLabel(line: string, name: string, label: NonNullable<Exposition['label']>): string {
  const added = `${label.name}="${escape(label.value)}"`;
  const rest = line.slice(name.length);
  if (!rest.startsWith('{')) return `${name}{${added}}${rest}`;
  const own = rest.slice(1).replace(new RegExp(`(^|,\\s*)${label.name}=`), `$1exported_${label.name}=`);
  return own.trimStart().startsWith('}') ? `${name}{${added}${own.trimStart()}` : `${name}{${added},${own}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
