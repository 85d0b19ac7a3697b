/** The first dotted number in a text, as numbers: `openjdk version "17.0.13"` → [17, 0, 13]. */
export function versionIn(text: string): number[] | undefined {
  return /\d+(?:\.\d+)+|\d+/.exec(text)?.[0].split('.').map(Number);
}

/** Whether `version` is `required` or later; missing places count as 0. */
export function atLeast(version: readonly number[], required: readonly number[]): boolean {
  for (let place = 0; place < Math.max(version.length, required.length); place += 1) {
    const difference = (version[place] ?? 0) - (required[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** The versions that hippo, Kafka and Spark need at least. */
export const REQUIRED = {
  /** As `engines` of package.json and bin/run.js say. */
  node: [22, 13],
  /** Kafka 4 and Spark 4. */
  java: [17],
  /** Spark 4.1 (Requires-Python in its package metadata). */
  python: [3, 10],
} as const;

/** Of `openjdk version "17.0.15" 2025-04-15`: [17, 0, 15]; of `java version "1.8.0_392"`: [8, 0]. */
export function javaVersionIn(output: string): number[] | undefined {
  const quoted = /version "(?:1\.)?([\d.]+)/.exec(output)?.[1];
  return quoted === undefined ? undefined : versionIn(quoted);
}

/** Of `Python 3.14.0rc1`: `3.14.0rc1`. */
export function pythonVersionIn(output: string): string | undefined {
  return /^Python (\d+\.\d+\S*)/m.exec(output)?.[1];
}
