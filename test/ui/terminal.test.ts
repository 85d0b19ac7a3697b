import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { Live } from '../../src/ui/live.ts';
import { ProgressLine } from '../../src/ui/progress-line.ts';
import { columnsOf, fitsLiveList, lineColumns, rowsOf } from '../../src/ui/terminal.ts';

/** A terminal of a size, and what is written to it. */
function screen(columns: number, rows: number): NodeJS.WriteStream & { text: string } {
  const stream = Object.assign(
    new Writable({
      write(chunk, _, done) {
        stream.text += String(chunk);
        done();
      },
    }),
    { columns, rows, isTTY: true, text: '' },
  );
  return stream as never;
}

describe('a terminal that reports no size', () => {
  test('counts as one of 80 by 24', () => {
    expect([columnsOf({}), columnsOf({ columns: 0 }), rowsOf({}), rowsOf({ rows: 0 })]).toEqual([
      80, 80, 24, 24,
    ]);
    expect(lineColumns({ isTTY: true, columns: 0 })).toBe(80);
    expect(fitsLiveList({ columns: 0, rows: 0 })).toBe(false);
  });

  test('shows the lines of what is redrawn', () => {
    const terminal = screen(0, 0);
    new Live(terminal).show('3 in all\n2 of etl');
    expect(terminal.text).toBe('3 in all\n2 of etl\n');
  });

  test('shows progress', () => {
    const terminal = screen(0, 0);
    new ProgressLine(terminal, () => 0, {}).show('1 of 3 done');
    expect(terminal.text).toBe('\r\u001b[K1 of 3 done');
  });
});

describe('a narrow terminal', () => {
  test.each([1, 2, 10, 39])('of %d columns breaks long lines itself', (columns) => {
    expect(lineColumns({ isTTY: true, columns })).toBeUndefined();
    expect(fitsLiveList({ columns, rows: 24 })).toBe(false);
  });

  test.each([
    [1, '…\n'],
    [4, '3 i…\n'],
    [8, '3 in all\n'],
  ])('of %d columns shows what fits of what is redrawn', (columns, shown) => {
    const terminal = screen(columns, 24);
    new Live(terminal).show('3 in all');
    expect(terminal.text).toBe(shown);
  });

  test('of one row shows one line', () => {
    const terminal = screen(80, 1);
    new Live(terminal).show('3 in all\n2 of etl');
    expect(terminal.text).toBe('3 in all\n');
  });

  test.each([1, 2, 5])('of %d columns shows what fits of the progress', (columns) => {
    const terminal = screen(columns, 24);
    new ProgressLine(terminal, () => 0, {}).show('1 of 3 done');
    expect(terminal.text).toBe(`\r\u001b[K${'1 of'.slice(0, Math.max(0, columns - 2))}…`);
  });
});

test('a wide terminal shows lines whole', () => {
  expect(lineColumns({ isTTY: true, columns: 5000 })).toBe(5000);
  const terminal = screen(5000, 24);
  const line = 'x'.repeat(4999);
  new Live(terminal).show(line);
  new ProgressLine(terminal, () => 0, {}).show(line);
  expect(terminal.text).toBe(`${line}\n\r\u001b[K${line}`);
});

test('a pipe has no columns', () => {
  expect(lineColumns({ columns: 80 })).toBeUndefined();
});
