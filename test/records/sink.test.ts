import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Output, Sink } from '../../src/records/sink.ts';
import { anyText, printed, record } from './record.ts';

class Recorder implements Output {
  readonly writes: Buffer[] = [];
  full = false;
  readonly #written: (Uint8Array | (() => void))[] = [];
  #drained: () => void = () => undefined;

  write(chunk: Uint8Array, done: () => void): boolean {
    this.writes.push(Buffer.from(chunk));
    this.#written.push(chunk, done);
    return !this.full;
  }

  /** All that was given is written: it may be overwritten. */
  written(): void {
    for (const part of this.#written.splice(0)) {
      if (typeof part === 'function') part();
      else part.fill(0);
    }
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

describe('the buffered output', () => {
  it('combines lines into large writes, in order', () => {
    const output = new Recorder();
    const sink = new Sink(output);
    const lines = Array.from({ length: 50_000 }, (_, index) => `line ${index} höö\n`);
    for (const line of lines) sink.write(line);
    sink.flush();
    expect(output.text).toBe(lines.join(''));
    expect(output.writes.length).toBeLessThan(15);
  });

  it('writes a single line after a short time', async () => {
    const output = new Recorder();
    new Sink(output).write('a\n');
    await pause(50);
    expect(output.text).toBe('a\n');
  });

  it('takes bytes unchanged, also more than its buffer holds', () => {
    const output = new Recorder();
    const sink = new Sink(output);
    const large = Buffer.alloc(1_000_000, 0xff);
    for (const piece of ['a', large, Buffer.from([0x80]), 'ü'.repeat(300_000)]) sink.write(piece);
    sink.flush();
    const all = ['a', large, Buffer.from([0x80]), 'ü'.repeat(300_000)].map((piece) => Buffer.from(piece));
    expect(Buffer.concat(output.writes).equals(Buffer.concat(all))).toBe(true);
  });

  it('is ready again when the reader has taken what was written', async () => {
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

  it('uses the memory of a chunk again only after the chunk was written', () => {
    const output = new Recorder();
    const sink = new Sink(output);
    const lines = Array.from({ length: 60_000 }, (_, index) => `line ${index}\n`);
    for (const [index, line] of lines.entries()) {
      sink.write(line);
      if (index % 7000 === 0) sink.flush();
      if (index % 20_000 === 0) output.written();
    }
    sink.flush();
    expect(output.text).toBe(lines.join(''));
  });

  it.each([0, 7, 10, 99, 100, 1_493_394_946_000, Number.MAX_SAFE_INTEGER, -1, 9_223_372_036_854_775_807n])(
    'writes the number %d as digits',
    (number) => {
      expect(printed((_, sink) => sink.writeNumber(number), record()).toString()).toBe(String(number));
    },
  );

  it('writes every whole number as digits', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (number) => {
        expect(printed((_, sink) => sink.writeNumber(number), record()).toString()).toBe(String(number));
      }),
    );
  });

  it('writes UTF-8 as JSON.stringify would', () => {
    const json = (bytes: Buffer): string =>
      printed((_, sink) => sink.writeJsonString(bytes), record()).toString();
    const ascii = String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code));
    const long = 'é"\n'.repeat(50_000);
    for (const text of [ascii, long]) expect(json(Buffer.from(text)) === JSON.stringify(text)).toBe(true);
    fc.assert(
      fc.property(anyText, (text) => {
        expect(json(Buffer.from(text))).toBe(JSON.stringify(Buffer.from(text).toString()));
      }),
    );
  });
});
