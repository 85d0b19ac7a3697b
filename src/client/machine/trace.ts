import { hash } from './text.ts';
import type { InputState, RunState } from '../../state/index.ts';

interface Caused extends Pick<RunState, 'job' | 'jobId' | 'manual'> {
  /** In the order of the file. */
  inputs: readonly InputState[];
}

/**
 * The W3C traceparent (https://www.w3.org/TR/trace-context/) of a run's start, finish or alert: a span of the trace of what
 * caused the firing, which is the request, or else its newest input. Where that carries none, a trace begins here.
 *
 * @param hippo together with job and job id it determines the span id, so every client computes the same one for a firing
 */
export function traceOf(hippo: string, run: Caused, span: 'start' | 'finish' | 'alert'): string {
  const firing = `${hippo}/${run.job}/${run.jobId ?? ''}`;
  const trace = traceIdOf(causeOf(run)) ?? hash(`${firing}/trace`) + hash(`trace/${firing}`);
  return `00-${trace}-${hash(`${firing}/${span}`)}-01`;
}

/** The traceparent of a message with which a trace begins: always the same one for the same text. */
export function traceFrom(text: string): string {
  return `00-${hash(`${text}/trace`)}${hash(`trace/${text}`)}-${hash(text)}-01`;
}

function causeOf({ manual, inputs }: Caused): string | undefined {
  if (manual !== undefined) return manual.from.traceparent;
  return inputs.toSorted((a, b) => a.at - b.at).at(-1)?.traceparent;
}

function traceIdOf(traceparent: string | undefined): string | undefined {
  const id = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}$/.exec(traceparent ?? '')?.[1];
  return id === '0'.repeat(32) ? undefined : id;
}
