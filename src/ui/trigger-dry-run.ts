import { isUtf8 } from 'node:buffer';
import chalk from 'chalk';
import { isList, listHeaders } from '../core/headers.ts';
import { visible } from '../core/visible.ts';
import type { DryRunPrinter, DryRunReport } from '../trigger/index.ts';
import { COLUMNS, count, wrap } from './text.ts';

const INDENT = '    ';
/** Headers that say nothing to a person. */
const LONG = ['traceparent', 'hippo-backfill-plan'];

/** For people: where each event would go, and its message below. */
export const dryRunText: DryRunPrinter = {
  heading({ topic, partitions, why }) {
    const known = `Topic ${topic} has ${partitions ?? 0} partition${partitions === 1 ? '' : 's'}.`;
    const unknown = `Topic ${topic}; its partitions are not known: ${why ?? ''}.`;
    return `${['Nothing is published.', ...wrap(partitions === null ? unknown : known)].join('\n')}\n`;
  },
  event: ({ n, table, partition, record, to }) => {
    const { key, value, headers } = record;
    const name = table === null ? 'a message' : visible(table);
    const landed = partition === '' ? '' : ` ${chalk.cyan(visible(partition))}`;
    const where = to === null ? (key === null ? 'any partition' : 'partition ?') : `partition ${to}`;
    const keyed = key === null ? 'no key' : `key ${shown(key)}`;
    const marks = listHeaders(headers ?? {})
      .filter(([header]) => !LONG.includes(header))
      .map(
        ([header, text]) =>
          `${INDENT}${chalk.dim(`${visible(header)}: ${text === null ? 'no value' : shown(text)}`)}`,
      );
    return [
      `${String(n).padStart(3)} ${chalk.bold(name)}${landed} ${chalk.dim('→')} ${where}, ${keyed}`,
      ...marks,
      ...(value === null ? [`${INDENT}no value`] : breakJson(shown(value))),
      '',
    ].join('\n');
  },
};

/** For programs: a line as `hippo tail --json` prints it, which `hippo trigger --file` reads. */
export const dryRunJson: DryRunPrinter = {
  heading: () => '',
  event: ({ record, to }) =>
    `${JSON.stringify({
      topic: record.topic,
      partition: to,
      offset: null,
      timestamp: null,
      key: asJson(record.key),
      headers: Object.fromEntries(
        Object.entries(record.headers ?? {}).map(([name, text]) => [
          name,
          isList(text) ? text.map(asJson) : asJson(text),
        ]),
      ),
      value: asJson(record.value),
    })}\n`,
};

export function renderDryRun({ events, skipped }: DryRunReport): string {
  const over = skipped === 0 ? '' : ` ${count(skipped, 'line')} would be skipped.`;
  return `${count(events, 'event')} would be published.${over}`;
}

function asJson(bytes: Buffer | string | null): string | null | { base64: string } {
  if (bytes === null || typeof bytes === 'string') return bytes;
  return isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
}

function shown(bytes: Buffer | string): string {
  if (typeof bytes === 'string') return visible(bytes);
  return isUtf8(bytes) ? visible(bytes.toString('utf8')) : `0x${bytes.toString('hex')}`;
}

/** Breaks JSON after commas outside of its texts, so that it can be read, and still be copied. */
function breakJson(text: string): string[] {
  const pieces = text.match(/(?:"(?:[^"\\]|\\.)*"|[^",])*,?/g)?.filter((piece) => piece !== '') ?? [text];
  const lines: string[] = [];
  let line = INDENT;
  for (const piece of pieces) {
    if (line !== INDENT && line.length + piece.length > COLUMNS) {
      lines.push(line);
      line = INDENT;
    }
    line += piece;
  }
  return [...lines, line];
}
