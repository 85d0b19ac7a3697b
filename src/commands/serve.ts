import { ExitCode, NotFineError } from '../core/errors.ts';
import { type StopRequest, listenForStop } from '../core/stop-signals.ts';
import type { ServeReport } from '../serve/models-server.ts';
import { HippoCommand } from '../ui/base-command.ts';

export default class Serve extends HippoCommand<ServeReport> {
  static override summary = 'Serve the models of $HIPPO_MODEL_FILE over HTTP.';
  static override description = `A service of hippo.yaml runs this command; the client gives it $HIPPO_MODEL_FILE and $HIPPO_PORT. It listens where
\`serve\` of hippo.yaml says, and switches to another version when the file changes. The log goes to stdout, a line of JSON for
each request. SIGTERM lets running requests finish, and then ends it with exit code 0; a second one ends it at once.`;
  static override examples = [
    'HIPPO_MODEL_FILE=models.json <%= config.bin %> <%= command.id %>',
    'HIPPO_MODEL_FILE=models.json HIPPO_PORT=8080 <%= config.bin %> <%= command.id %> --profile prod',
  ];

  #stop: StopRequest | null = null;

  protected async work(): Promise<ServeReport> {
    const { flags } = await this.parse(Serve);
    const stop = (this.#stop = listenForStop());
    try {
      const { serveModels } = await import('../serve/models-server.ts');
      const report = await serveModels({
        file: flags.config,
        profile: flags.profile,
        env: process.env,
        stop: stop.signal,
        log: process.stdout,
      });
      if (report.cut === 0) return report;
      throw new NotFineError(`${report.cut} requests were cut off at the end`, {
        why: 'they took longer than serve.drain.limit',
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

  protected override verdict(): ExitCode {
    return this.#stop?.name() === 'SIGINT' ? ExitCode.interrupted : ExitCode.ok;
  }
}
