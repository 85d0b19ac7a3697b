import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LogCutter } from '../../../src/client/host/log-cut.ts';

// Real writers: on a busy machine they take their time.
vi.setConfig({ testTimeout: 60_000 });

const LIMIT = 64 * 1024;
const MARKER = /^hippo: (\d+) bytes of this log were removed here, because it reached logs\.attempt_size *$/m;

async function file(text = ''): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hippo-cut-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'log');
  await writeFile(path, text);
  return path;
}

/** Lines with their number, from one on. */
function lines(count: number, from = 1): string {
  return Array.from({ length: count }, (_, index) => `line ${from + index}\n`).join('');
}

interface Parts {
  head: string;
  tail: string;
  removed: number;
}

async function parts(path: string): Promise<Parts> {
  const text = await readFile(path, 'utf8');
  const marker = MARKER.exec(text);
  if (marker === null) throw new Error(`there is no marker in ${text.length} characters`);
  const [whole, removed] = marker;
  return {
    head: text.slice(0, marker.index),
    tail: text.slice(marker.index + whole.length + 1),
    removed: Number(removed),
  };
}

/** Starts a program whose output goes straight into the file. */
function writer(path: string, script: string): { ended: Promise<unknown>; kill: () => void } {
  const log = openSync(path, 'a');
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', log, log] });
  closeSync(log);
  onTestFinished(() => void child.kill('SIGKILL'));
  return { ended: once(child, 'exit'), kill: () => void child.kill('SIGKILL') };
}

describe('a log', () => {
  it('within the limit is left as it is, and so is one that is not there', async () => {
    const path = await file('x'.repeat(LIMIT));
    expect(await new LogCutter(path, LIMIT).look()).toBe(false);
    expect((await stat(path)).size).toBe(LIMIT);
    expect(await new LogCutter(`${path}.none`, LIMIT).look()).toBe(false);
  });

  it('beyond it keeps whole lines of its beginning and of its end, and says how many bytes are gone', async () => {
    const text = lines(20_000);
    const path = await file(text);
    expect(await new LogCutter(path, LIMIT).look()).toBe(true);
    const { head, tail, removed } = await parts(path);
    expect(text.startsWith(head)).toBe(true);
    expect(text.endsWith(tail)).toBe(true);
    expect(head).toMatch(/line \d+\n$/);
    expect(tail).toMatch(/^line \d+\n/);
    expect(head.length + removed + tail.length).toBe(text.length);
    for (const part of [head, tail]) {
      expect(part.length).toBeLessThanOrEqual(LIMIT / 4);
      expect(part.length).toBeGreaterThan(LIMIT / 4 - 100);
    }
  });

  it('is cut again and again, and has one such line, with the sum', async () => {
    const path = await file();
    const cutter = new LogCutter(path, LIMIT);
    let all = '';
    for (let round = 0; round < 10; round += 1) {
      const more = lines(10_000, 1 + round * 10_000);
      all += more;
      await appendFile(path, more);
      expect(await cutter.look()).toBe(true);
    }
    const { head, tail, removed } = await parts(path);
    expect(`${head}${tail}`).not.toContain('hippo:');
    expect(all.startsWith(head) && all.endsWith(tail)).toBe(true);
    expect(head.length + removed + tail.length).toBe(all.length);
  });

  it('without line ends is cut anywhere, and the line about it is a line of its own', async () => {
    const path = await file('x'.repeat(3 * LIMIT));
    const cutter = new LogCutter(path, LIMIT);
    await cutter.look();
    await appendFile(path, 'y'.repeat(3 * LIMIT));
    await cutter.look();
    const { head, tail, removed } = await parts(path);
    expect(head).toBe(`${'x'.repeat(LIMIT / 4)}\n`);
    expect(tail).toBe('y'.repeat(LIMIT / 4));
    expect(head.length - 1 + removed + tail.length).toBe(6 * LIMIT);
  });

  it('that a job holds open goes on at its new end, without a gap', async () => {
    const path = await file();
    const cutter = new LogCutter(path, LIMIT);
    // It waits for each cut, so that nothing is printed while one is made.
    const job = writer(
      path,
      `i=0; for round in 1 2 3; do seq $((i + 1)) $((i += 20000)); : > ${path}.$round; until test -e ${path}.go$round; do sleep 0.01; done; done; echo the end`,
    );
    for (const round of [1, 2, 3]) {
      await vi.waitFor(() => stat(`${path}.${round}`), { timeout: 30_000 });
      expect(await cutter.look()).toBe(true);
      await writeFile(`${path}.go${round}`, '');
    }
    await job.ended;
    const { head, tail, removed } = await parts(path);
    const all = `${Array.from({ length: 60_000 }, (_, index) => `${index + 1}\n`).join('')}the end\n`;
    expect(all.startsWith(head) && all.endsWith(tail)).toBe(true);
    expect(head.length + removed + tail.length).toBe(all.length);
  });

  it('that is printed to meanwhile loses lines only at the cuts, and its end is what was printed last', async () => {
    const path = await file();
    const cutter = new LogCutter(path, LIMIT);
    const job = writer(
      path,
      `seq 1 1000000; : > ${path}.printed; until test -e ${path}.go; do sleep 0.01; done; echo the last line`,
    );
    const isPrinted = (): Promise<boolean> =>
      stat(`${path}.printed`).then(
        () => true,
        () => false,
      );
    let cuts = 0;
    do if (await cutter.look()) cuts += 1;
    while (!(await isPrinted()));
    if (await cutter.look()) cuts += 1;
    await writeFile(`${path}.go`, '');
    await job.ended;
    const { head, tail, removed } = await parts(path);
    const total = Array.from({ length: 1_000_000 }, (_, index) => String(index + 1).length + 1)
      .concat('the last line\n'.length)
      .reduce((sum, length) => sum + length, 0);
    expect(head.startsWith('1\n2\n3\n')).toBe(true);
    expect(tail.endsWith('\nthe last line\n')).toBe(true);
    expect((await stat(path)).size).toBeLessThanOrEqual(LIMIT + 'the last line\n'.length);
    // What comes between the last look at the size and a cut is lost uncounted.
    expect(head.length + removed + tail.length).toBeLessThanOrEqual(total);
    const numbers = tail.split('\n').slice(1, -2).map(Number);
    const falls = numbers.filter((number, index) => number < (numbers[index - 1] ?? 0));
    // A line in which a cut was made may look like any number; the others stand in their order.
    expect(falls.length).toBeLessThanOrEqual(cuts);
  });
});
