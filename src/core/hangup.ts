import { readFileSync } from 'node:fs';

/** The variable in which bin/run.js reports what the shell saw: `ignored` or `default`. */
const TOLD = 'HIPPO_SIGHUP';

/**
 * Keeps SIGHUP ignored if the parent process ignores it, as under `nohup`. Node resets that at its start, and a process
 * that
 * listens to nothing would then end with its terminal.
 *
 * @param env the variable is removed from it, because it is about this process only
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
