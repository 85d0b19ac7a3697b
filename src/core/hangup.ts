import { readFileSync } from 'node:fs';

/** What bin/run.js tells where a shell has started it: `ignored` or `default`. */
const TOLD = 'HIPPO_SIGHUP';

/**
 * Goes on ignoring SIGHUP where the parent has said so, as `nohup` does. Node resets that at its start, and a process that
 * listens to nothing would then end with its terminal.
 *
 * @param env loses the word of bin/run.js: it is about this process, not about those that it starts
 * @param parent its id
 */
export function respectIgnoredHangup(env: NodeJS.ProcessEnv, parent: number): void {
  const told = env[TOLD];
  Reflect.deleteProperty(env, TOLD);
  if (told === undefined ? isLikelyIgnored(env, parent) : told === 'ignored')
    process.on('SIGHUP', () => undefined);
}

/** Whether {@link respectIgnoredHangup} found that SIGHUP is ignored: a command must then not end by it. */
export function isHangupIgnored(): boolean {
  return process.listenerCount('SIGHUP') > 0;
}

/** For `node bin/run.js`, where no shell has looked: bash names the program that it started, nohup itself or a script. */
function isLikelyIgnored(env: NodeJS.ProcessEnv, parent: number): boolean {
  return /(^|\/)nohup$/.test(env['_'] ?? '') || ignoresHangup(parent);
}

/** Of a process on Linux; a child inherits it. SIGHUP is the lowest bit of the mask. */
function ignoresHangup(pid: number): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) & 1n) === 1n;
  } catch {
    return false;
  }
}
