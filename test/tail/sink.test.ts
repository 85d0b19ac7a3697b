import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Output, Sink } from '../../src/tail/sink.ts';

class Recorder implements Output {
  readonly writes: Buffer[] = [];
  full = false;
  #drained: () => void = () => undefined;

  write(chunk: Uint8Array): boolean {
    this.writes.push(Buffer.from(chunk));
    return !this.full;
  }

  once(_: 'drain', listener: () => void): void {
    this.#drained = listener;
  }

  drain(): void {
    this.full = false;
    this.#drained();
  }

  get text(): string {
    return Buffer.concat(this.writes).toString();
  }
}

describe('the sink', () => {
  it('gathers lines into large writes, in order', () => {
    const output = new Recorder();
    const sink = new Sink(output);
    const lines = Array.from({ length: 50_000 }, (_, index) => `line ${index} höö\n`);
    for (const line of lines) sink.write(line);
    sink.flush();
    expect(output.text).toBe(lines.join(''));
    expect(output.writes.length).toBeLessThan(15);
  });

  it('writes a single line soon, unasked', async () => {
    const output = new Recorder();
    new Sink(output).write('a\n');
    await pause(50);
    expect(output.text).toBe('a\n');
  });

  it('takes bytes as they are, and what is larger than its buffer', () => {
    const output = new Recorder();
    const sink = new Sink(output);
    const large = Buffer.alloc(1_000_000, 0xff);
    for (const piece of ['a', large, Buffer.from([0x80]), 'ü'.repeat(300_000)]) sink.write(piece);
    sink.flush();
    expect(Buffer.concat(output.writes)).toEqual(
      Buffer.concat([Buffer.from('a'), large, Buffer.from([0x80]), Buffer.from('ü'.repeat(300_000))]),
    );
  });

  it('is ready only when the reader has drained it', async () => {
    const output = new Recorder();
    const sink = new Sink(output);
    await sink.ready();
    output.full = true;
    sink.write('a');
    sink.flush();
    let ready = false;
    const waiting = sink.ready().then(() => (ready = true));
    await pause(5);
    expect(ready).toBe(false);
    output.drain();
    await waiting;
    expect(ready).toBe(true);
  });
});
