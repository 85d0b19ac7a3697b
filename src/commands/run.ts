import { ExitCode } from '../core/errors.ts';
import { isHangupIgnored } from '../core/hangup.ts';
import type { ClientEvent } from '../client/host/client-event.ts';
import type { ClientReport } from '../client/host/client.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { Flags } from '../ui/oclif.ts';
import { clientEventJson, renderClientEvent } from '../ui/run.ts';
import { lineColumns } from '../ui/terminal.ts';

type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

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
        'End when the topics are read to their present ends and no run is left to start; exit with 1 if a run failed.',
    }),
  };

  #signal: StopSignal | null = null;
  readonly #stop = new AbortController();

  protected async work(): Promise<ClientReport> {
    const { flags } = await this.parse(Run);
    const stopped = this.#listen(isHangupIgnored() ? ['SIGINT', 'SIGTERM'] : ['SIGINT', 'SIGTERM', 'SIGHUP']);
    try {
      const [{ loadConfig }, { runClient }] = await Promise.all([
        import('../config/load.ts'),
        import('../client/host/client.ts'),
      ]);
      const loaded = await loadConfig({
        file: flags.config,
        profile: flags.profile,
        cwd: process.cwd(),
        env: process.env,
      });
      return await runClient({
        loaded,
        env: process.env,
        once: flags.once,
        stop: this.#stop.signal,
        log: (event) => this.#print(event),
      });
    } finally {
      stopped();
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
    return this.#signal === 'SIGINT' ? ExitCode.interrupted : ExitCode.ok;
  }

  #listen(signals: readonly StopSignal[]): () => void {
    const listeners = signals.map((signal) => {
      const listener = (): void => {
        this.#signal ??= signal;
        this.#stop.abort(new Error(signal));
      };
      process.on(signal, listener);
      return () => process.off(signal, listener);
    });
    return () => listeners.forEach((remove) => remove());
  }

  #print(event: ClientEvent): void {
    const at = new Date();
    const { stdout, stderr } = process;
    const line = this.json ? clientEventJson(event, at) : renderClientEvent(event, at, lineColumns(stderr));
    if (line !== '') (this.json ? stdout : stderr).write(`${line}\n`);
  }
}
