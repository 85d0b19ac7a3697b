/** Run by {@link ./watchdog.ts}: reads its input to the end, then ends the brokers below the folder and removes it. */
import { rm } from 'node:fs/promises';
import { stopBrokersBelow } from './brokers-below.ts';

const [, , folder = ''] = process.argv;
process.stdin.resume().on('end', () => {
  void stopBrokersBelow(folder).finally(() => rm(folder, { recursive: true, force: true }));
});
