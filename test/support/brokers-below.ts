import { listProcesses, terminate } from '../../src/core/environment/index.ts';

const STOP_GRACE = 20_000;

/** Stops every broker that runs with a configuration file below this folder. */
export async function stopBrokersBelow(folder: string): Promise<void> {
  const brokers = (await listProcesses()).filter(({ command }) =>
    command.includes(` kafka.Kafka ${folder}/`),
  );
  await Promise.all(brokers.map(({ pid }) => terminate(pid, STOP_GRACE)));
}
