import type { JsonObject } from '../../core/json.ts';
import { type Entry, type Summary, markOf } from '../summary.ts';

/** Teams refuses messages beyond 28 KB; some is left for what Workflows adds. */
const MOST_BYTES = 24_000;

/**
 * An Adaptive Card in the envelope that a webhook of Workflows wants. Values are text runs, in which Teams sees no Markdown: a value
 * makes no link. https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 */
export function teamsBody(summary: Summary): JsonObject {
  for (let shown = summary.entries.length; shown > 0; shown -= 1) {
    const body = envelope(summary, shown);
    if (Buffer.byteLength(JSON.stringify(body)) <= MOST_BYTES) return body;
  }
  return envelope(summary, 0);
}

function envelope({ title, entries, more }: Summary, shown: number): JsonObject {
  const left = entries.length - shown;
  const rest = left === 0 ? more : 'and more: hippo alerts list';
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body: [
      lines([{ text: title, weight: 'Bolder', size: 'Medium' }]),
      ...entries.slice(0, shown).flatMap(entryBlocks),
      ...(rest === null ? [] : [lines([{ text: rest }])]),
    ],
  };
  return {
    type: 'message',
    attachments: [
      { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card },
    ],
  };
}

function entryBlocks({ state, text, facts, next }: Entry): JsonObject[] {
  const color = state === 'firing' ? 'Attention' : 'Good';
  return [
    lines([{ text: `${markOf(state)} `, color, weight: 'Bolder' }, { text }], 'Medium'),
    lines([{ text: facts, isSubtle: true }]),
    ...next.map((command) => lines([{ text: command, fontType: 'Monospace' }])),
  ];
}

function lines(runs: readonly JsonObject[], spacing = 'Small'): JsonObject {
  return { type: 'RichTextBlock', spacing, inlines: runs.map((run) => ({ type: 'TextRun', ...run })) };
}
