/** `: ` and the first line of what a server said, at most 200 characters; empty where it said nothing. */
export function said(text: unknown): string {
  const line = typeof text === 'string' ? (text.trim().split('\n', 1)[0] ?? '').slice(0, 200) : '';
  return line === '' ? '' : `: ${line}`;
}
