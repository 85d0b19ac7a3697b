/** One scan, and all that it has told. */
import type { FoundLanding, Scanner, Skip } from '../../src/sources/index.ts';

export interface Scanned {
  landings: FoundLanding[];
  /** `path: reason`; unfinished ones with a `…`. */
  skips: string[];
  /** What it said while it waited. */
  waits: string[];
  error?: unknown;
}

export async function scanOnce(scanner: Scanner, signal = new AbortController().signal): Promise<Scanned> {
  const scanned: Scanned = { landings: [], skips: [], waits: [] };
  const onSkip = ({ path, reason, isUnfinished }: Skip): void => {
    scanned.skips.push(`${path}: ${reason}${isUnfinished ? ' …' : ''}`);
  };
  try {
    const scan = scanner.scan(signal, onSkip, { onWait: (text) => scanned.waits.push(text) });
    for await (const some of scan) scanned.landings.push(...some);
    return scanned;
  } catch (error) {
    return { ...scanned, error };
  }
}

export function idsOf({ landings }: Scanned): string[] {
  return landings.map(({ id }) => id);
}
