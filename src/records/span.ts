import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { UserError } from '../core/errors.ts';
import { type Position, type Span, parseSpan } from './positions.ts';

/** What a person said about where to begin and end; undefined: not said. */
export interface SpanWords {
  from?: string | undefined;
  to?: string | undefined;
  last?: number | undefined;
  exitAtEnd: boolean;
  partitions?: readonly number[] | undefined;
}

/**
 * Where to begin and end. Following begins at the end; what ends by itself begins at the beginning.
 *
 * @throws UserError for what is not a position, with the forms that are allowed
 */
export async function readSpan(words: SpanWords, { calendar }: Config, clock: Clock): Promise<Span> {
  const ends = words.exitAtEnd || words.to !== undefined || words.last !== undefined;
  const span = await parseSpan(
    words.from,
    words.to,
    { clock, timezone: calendar.timezone },
    {
      from: { at: ends ? 'beginning' : 'end' },
      to: null,
    },
  );
  if (span.to?.at === 'time' && span.to.time > clock.now() + 1000) {
    throw new UserError(`--to ${words.to ?? words.from ?? ''} lies in the future`, {
      why: 'Without --to the topics are followed until Ctrl-C.',
    });
  }
  if (liesAfter(span.from, span.to)) {
    throw new UserError('--from lies after --to', {
      next:
        words.to === undefined ? ['--from -2h --to -1h'] : [`--from ${words.to} --to ${words.from ?? ''}`],
    });
  }
  if (words.partitions !== undefined && (span.from.at === 'partitions' || span.to?.at === 'partitions')) {
    throw new UserError('--partition and partition:offset both name the partitions', {
      next: ['hippo tail TOPIC --from 0:42,3:17', 'hippo tail TOPIC --partition 0 --from 42'],
    });
  }
  return span;
}

/** Of what can be compared without Kafka. */
function liesAfter(from: Position, to: Position | null): boolean {
  if (from.at === 'time' && to?.at === 'time') return from.time > to.time;
  if (from.at === 'offset' && to?.at === 'offset') return from.offset > to.offset;
  return from.at === 'end' && to?.at === 'beginning';
}
