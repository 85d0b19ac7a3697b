import type { JsonObject } from '../../core/json.ts';
import { type Entry, type Summary, markOf } from '../summary.ts';

/** Slack's limits, characters: of a header, of the text of a section. https://docs.slack.dev/reference/block-kit/blocks */
const HEADER = 150;
const SECTION = 3_000;

/**
 * A message of Block Kit for an incoming webhook. Values are escaped as Slack asks for, so that none mentions a channel or makes a
 * link. https://docs.slack.dev/messaging/formatting-message-text#escaping
 */
export function slackBody({ title, entries, more }: Summary): JsonObject {
  return {
    // What notifications show, and clients that do not know blocks.
    text: escaped(title),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(title, HEADER), emoji: false } },
      ...entries.map((entry) => section(entryText(entry))),
      ...(more === null ? [] : [section(escaped(more))]),
    ],
  };
}

function section(text: string): JsonObject {
  return { type: 'section', text: { type: 'mrkdwn', text: cut(text, SECTION), verbatim: true } };
}

function entryText({ state, text, facts, next }: Entry): string {
  const commands = next.map((command) => `\`${escaped(command).replaceAll('`', "'")}\``);
  return [`${markOf(state)} ${escaped(text)}`, `_${escaped(facts)}_`, ...commands].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Not in the middle of an escape or of a character. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text
    .slice(0, most - 1)
    .toWellFormed()
    .replace(/&[a-z]*$/, '')}…`;
}
