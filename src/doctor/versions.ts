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
