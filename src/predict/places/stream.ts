/** The body of an answer of HTTP, as the chunks of a file. */
import { type Readable, addAbortSignal } from 'node:stream';
import type { Millis } from '../../core/clock.ts';
import { formatDuration } from '../../core/duration.ts';
import { networkReason } from '../../core/network-reason.ts';
import { type OpenFile, TryAgain } from './place.ts';

export interface BodyOptions {
  /** Who answers, for messages: `http://datanode:9864`. */
  readonly from: string;
  /** How long nothing may come in. */
  readonly silence: Millis;
  /** The size, if a header says it. */
  readonly bytes: number | undefined;
  /** Ends the connection. */
  readonly signal: AbortSignal;
}

export function fileOf(body: Readable, options: BodyOptions): OpenFile {
  // A body that breaks before it is read must not end the process.
  body.on('error', () => undefined);
  addAbortSignal(options.signal, body);
  return { bytes: options.bytes, chunks: chunksOf(body, options), close: () => body.destroy() };
}

/** A large body may take any time, but something must come all along. */
async function* chunksOf(body: Readable, { from, silence }: BodyOptions): AsyncGenerator<Uint8Array> {
  const late = new TryAgain(`${from} has sent nothing for ${formatDuration(silence)}`);
  const timer = setTimeout(() => body.destroy(late), silence);
  try {
    for await (const chunk of body) {
      yield chunk as Uint8Array;
      timer.refresh();
    }
  } catch (error) {
    if (error instanceof TryAgain) throw error;
    throw new TryAgain(`the connection to ${from} broke: ${networkReason(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
}
