/** Run by {@link ./watchdog.ts}: reads its input to the end, then ends what runs in the folder, and removes it. */
import { rm } from 'node:fs/promises';
import { endProcessesBelow } from './end-processes.ts';

const [, , folder = ''] = process.argv;
process.stdin.resume().on('end', () => {
  void endProcessesBelow(folder).finally(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
});
