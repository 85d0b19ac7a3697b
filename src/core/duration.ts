import ms from 'ms';

/** What a duration looks like, for error messages. */
export const DURATION_FORM = 'a duration such as 500ms, 30s, 5m, 2h or 1d';

/**
 * Reads `90s`, `2h`, `1d`, …; a bare number is seconds.
 *
 * @returns milliseconds, or undefined when the text is no duration or is negative
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.length > 40) return undefined;
  const value = /^\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) * 1000 : ms(trimmed as ms.StringValue);
  return Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined;
}

/** `940 ms`, `12.4 s`, `3 min 20 s`, `2 h 5 min`: for people. */
export function formatDuration(millis: number): string {
  if (millis < 1000) return `${Math.round(millis)} ms`;
  const seconds = millis / 1000;
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  const units: [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const whole = Math.round(seconds);
  const first = units.findIndex(([size]) => whole >= size);
  return units
    .slice(first, first + 2)
    .map(([size, name], index) => {
      const above = index === 0 ? whole : whole % (units[first]?.[0] ?? 1);
      return [Math.floor(above / size), name] as const;
    })
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count} ${name}`)
    .join(' ');
}
