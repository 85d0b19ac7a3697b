import type { TriggerListener } from '../trigger/trigger.ts';
import { ProgressLine } from './progress-line.ts';
import {
  renderChange,
  renderExplanation,
  renderFutureDate,
  renderGivenUp,
  renderProgress,
  renderOtherOrder,
  renderPublished,
  renderSkipped,
  renderUnknownTable,
  renderUnpublished,
} from './trigger.ts';

/** Single events are shown only up to this number of events. */
const SHOWN = 1_000;
/** At most this many skipped lines are named; the others are counted. */
const NAMED = 10;

/**
 * Shows what happens: events and runs on stdout as it comes (`--json` prints it all at the end), warnings and progress on
 * stderr.
 */
export function triggerListener({ json }: { json: boolean }): TriggerListener & { end(): void } {
  const line = new ProgressLine();
  const say = (text: string): void => {
    if (!json) line.above(() => process.stdout.write(`${text}\n`));
  };
  const warn = (text: string): void => line.above(() => process.stderr.write(`${text}\n`));
  let skipped = 0;
  return {
    onPublished: (event, { backfill, total }) => {
      if (total <= SHOWN) say(renderPublished(event, backfill));
    },
    onChange: (change) => say(renderChange(change)),
    onExplanation: (explanation) => warn(renderExplanation(explanation)),
    onProgress: (progress) => {
      if (progress.kind === 'lines' || progress.total > 1) line.show(renderProgress(progress));
    },
    onSkipped: (bad) => {
      skipped += 1;
      if (skipped <= NAMED) warn(renderSkipped(bad));
      else if (skipped === NAMED + 1) warn('! Further ones are only counted.');
    },
    onUnknownTable: (unknown) => warn(renderUnknownTable(unknown)),
    onOtherOrder: (other) => warn(renderOtherOrder(other)),
    onGivenUp: (error) => warn(renderGivenUp(error)),
    onUnpublished: (unpublished, isOfFile) => warn(renderUnpublished(unpublished, isOfFile)),
    onFutureDate: (event, execDate) => warn(renderFutureDate(event, execDate)),
    end: () => line.end(),
  };
}
