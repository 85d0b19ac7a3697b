import { readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, listProcesses } from '../../src/core/environment/index.ts';

/**
 * Ends every broker whose configuration file is below this folder and, where there is a /proc, every process that works in
 * it: by SIGKILL, for a test may have stopped it by SIGSTOP.
 */
export async function endProcessesBelow(folder: string): Promise<void> {
  for (const { pid, command } of await listProcesses()) {
    const isBroker = command.includes(` kafka.Kafka ${folder}/`);
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (!isBroker && !cwd.startsWith(`${folder}/`)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    while (await isAlive(pid)) await sleep(20);
  }
}
