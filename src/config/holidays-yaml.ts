import { LineCounter, isScalar, isSeq, type Node, parseDocument } from 'yaml';
import { type HolidayList, DATE_FORM, isDate } from './holiday-dates.ts';

const LIST_FORM = 'must be a list of dates, one a line, such as "- 2017-12-25"';

/** Reads holidays as YAML: a list of dates. Comments may name them. */
export function readList(text: string): HolidayList {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number, message: string): HolidayList['problems'][number] => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col, message };
  };
  const [error] = document.errors;
  if (error !== undefined) {
    const message = `is not YAML: ${error.message.split(/:|\n/, 1)[0] ?? ''}`;
    return { dates: [], problems: [at(error.pos[0], message)] };
  }
  const list = document.contents;
  if (list === null || (isSeq(list) && list.items.length === 0)) {
    return { dates: [], problems: [at(0, `has no dates; it ${LIST_FORM}`)] };
  }
  if (!isSeq(list)) return { dates: [], problems: [at(list.range[0], LIST_FORM)] };
  const items = (list.items as Node[]).map((item) => ({
    text: isScalar(item) ? (item.source ?? '') : '',
    offset: item.range?.[0] ?? 0,
  }));
  const wrong = items.filter((item) => !isDate(item.text));
  return {
    dates: items.map((item) => item.text),
    problems: wrong.map(({ offset }) => at(offset, DATE_FORM)),
  };
}
