import { describe, expect, it } from 'vitest';
import { Rest, type Usage, giveBackAtRest } from '../../../src/client/host/rest.ts';

const MB = 1024 * 1024;

/** A client that gives back all above 50 MB. */
function client(): { rest: Rest; usage: Usage; readonly collected: number } {
  const usage: Usage = { cpu: 0, memory: 60 * MB };
  let collected = 0;
  const rest = new Rest({
    usage: () => ({ ...usage }),
    collect: () => {
      collected += 1;
      usage.memory = 50 * MB;
      usage.cpu += 80;
    },
  });
  return {
    rest,
    usage,
    get collected() {
      return collected;
    },
  };
}

describe('Rest', () => {
  it('gives memory back as soon as the client is at rest', () => {
    const hippo = client();
    hippo.usage.cpu += 900;
    hippo.rest.look(1_000);
    expect(hippo.collected).toBe(0);
    hippo.usage.cpu += 10;
    hippo.rest.look(1_000);
    expect(hippo.collected).toBe(1);
  });

  it('does not again before there is something to give back', () => {
    const hippo = client();
    hippo.rest.look(1_000);
    hippo.usage.memory += MB;
    hippo.rest.look(1_000);
    expect(hippo.collected).toBe(1);
    hippo.usage.memory += 9 * MB;
    hippo.rest.look(1_000);
    expect(hippo.collected).toBe(2);
  });

  it('does not while the client works', () => {
    const hippo = client();
    for (let second = 0; second < 10; second += 1) {
      hippo.usage.cpu += 60;
      hippo.usage.memory += 10 * MB;
      hippo.rest.look(1_000);
    }
    expect(hippo.collected).toBe(0);
  });

  it('does not count the time of a collection as work', () => {
    const hippo = client();
    hippo.rest.look(1_000);
    hippo.usage.memory += 9 * MB;
    hippo.rest.look(1_000);
    expect(hippo.collected).toBe(2);
  });
});

describe('giveBackAtRest', () => {
  it('collects in a real process, and keeps none alive', async () => {
    const { execa } = await import('../../../src/core/exec.ts');
    const script = `
      import { giveBackAtRest } from ${JSON.stringify(new URL('../../../src/client/host/rest.ts', import.meta.url).href)};
      const garbage = new WeakRef({ bytes: new Array(4_000_000).fill(0).map(String) });
      giveBackAtRest();
      const deadline = Date.now() + 20_000;
      const look = setInterval(() => {
        if (garbage.deref() !== undefined && Date.now() < deadline) return;
        console.log(garbage.deref() === undefined ? 'given back' : 'kept');
        clearInterval(look);
      }, 500);`;
    const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script], {
      stdin: 'ignore',
    });
    expect(stdout).toBe('given back');
  });

  it('ends when it is told to', () => {
    expect(giveBackAtRest()).not.toThrow();
  });
});
