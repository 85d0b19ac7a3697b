import { ExitCode } from '../core/errors.ts';
import { type StopRequest, listenForStop } from '../core/stop-signals.ts';
import type { ClientReport } from '../client/host/client.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { Flags } from '../ui/oclif.ts';
import { clientLog } from '../ui/run.ts';

export default class Run extends HippoCommand<ClientReport> {
  static override summary = "Run this project's client: wait for events and run jobs.";
  static override description = `start-client.sh calls this command. SIGTERM stops the client with exit code 0, Ctrl-C with 130; both end its jobs. A second
client of the same hippo is a standby and takes over. With --json each log event is one line of JSON on stdout.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --once --json',
  ];
  static override flags = {
    once: Flags.boolean({
      description:
        'End when the topics are read to their present ends and no run is left to start; exit with 1 if a run failed, or if another client of the hippo is running.',
    }),
  };

  #stop: StopRequest | null = null;

  protected async work(): Promise<ClientReport> {
    const { flags } = await this.parse(Run);
    const stop = (this.#stop = listenForStop());
    try {
      const { runClient } = await import('../client/host/client.ts');
      return await runClient({
        file: flags.config,
        profile: flags.profile,
        env: process.env,
        once: flags.once,
        stop: stop.signal,
        log: clientLog({ json: this.json }),
      });
    } finally {
      stop.forget();
    }
  }

  protected render(): string {
    return '';
  }

  protected override toJson(): null {
    return null;
  }

  protected override verdict({ ended, failed }: ClientReport): ExitCode {
    if (ended === 'done') return failed === 0 ? ExitCode.ok : ExitCode.notFine;
    return this.#stop?.name() === 'SIGINT' ? ExitCode.interrupted : ExitCode.ok;
  }
}
