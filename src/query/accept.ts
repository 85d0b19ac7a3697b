/** Which form of an answer a request takes (RFC 9110, 12.5.1). Pure. */
import { HttpProblem } from '../http/index.ts';

export const FORMATS = {
  json: 'application/json',
  csv: 'text/csv',
  parquet: 'application/vnd.apache.parquet',
} as const;
export type Format = keyof typeof FORMATS;

const NAMES = Object.keys(FORMATS) as Format[];

/**
 * The allowed form with the highest quality; of equal ones the first of {@link FORMATS}.
 *
 * @throws HttpProblem 406 that lists what there is
 */
export function formatFor(accept: string | undefined): Format {
  if (accept === undefined || accept.trim() === '') return 'json';
  const ranges = accept.split(',').map(readRange);
  let best: { format: Format; quality: number } | null = null;
  for (const format of NAMES) {
    const quality = qualityOf(FORMATS[format], ranges);
    if (quality > 0 && (best === null || quality > best.quality)) best = { format, quality };
  }
  if (best !== null) return best.format;
  throw new HttpProblem(406, `the answer can be ${Object.values(FORMATS).join(', ')}`);
}

interface Range {
  type: string;
  quality: number;
}

function readRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
  return { type, quality: /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(given) ? Number(given) : 0 };
}

/** The most special range that fits decides. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  const [main = ''] = type.split('/');
  for (const wanted of [type, `${main}/*`, '*/*']) {
    const found = ranges.find((range) => range.type === wanted);
    if (found !== undefined) return found.quality;
  }
  return 0;
}
