import { Command, Flags } from '@oclif/core';
import { BugError, ExitCode, HippoError, InterruptedError, UserError, messageOf } from '../core/errors.ts';
import { jsonError, renderError } from './errors.ts';

/**
 * What every command shares: one result that feeds the text and `--json`, one place for errors, exit codes and
 * signals. A subclass parses its flags in {@link work}, calls one service, and returns that service's data.
 *
 * Results go to stdout; progress, logs and errors to stderr. Under `--json` an error is `{"error": {…}}` on stdout.
 */
export abstract class HippoCommand<Result> extends Command {
  static override baseFlags = {
    json: Flags.boolean({ description: 'Print the result as JSON.', helpGroup: 'GLOBAL' }),
    config: Flags.string({
      description: 'The hippo.yaml to use; left out: the one in this folder or the nearest above.',
      env: 'HIPPO_CONFIG',
      helpGroup: 'GLOBAL',
      helpValue: 'FILE',
    }),
    profile: Flags.string({
      description: 'The profile of hippo.yaml to use (its kafka, topics and yarn settings).',
      env: 'HIPPO_PROFILE',
      helpGroup: 'GLOBAL',
      helpValue: 'NAME',
    }),
  };

  readonly #stop = new AbortController();

  /** Aborted by Ctrl-C or SIGTERM. A service that was told so ends; the command then exits with 130. */
  protected get stopping(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether the result is printed as JSON; read from the words themselves, since parsing them may be what fails. */
  protected get json(): boolean {
    const end = this.argv.indexOf('--');
    return (end === -1 ? this.argv : this.argv.slice(0, end)).includes('--json');
  }

  protected abstract work(): Promise<Result>;

  /** The result as people read it; empty when everything has been printed on the way. */
  protected abstract render(result: Result): string;

  /** The exit code of a result: {@link ExitCode.notFine} where the thing asked about is not fine. */
  protected verdict(_result: Result): ExitCode {
    return ExitCode.ok;
  }

  /** The result as `--json` prints it; null when everything has been printed on the way. */
  protected toJson(result: Result): unknown {
    return result;
  }

  async run(): Promise<Result> {
    const interrupt = (): void => {
      // A second Ctrl-C does not wait for anybody.
      if (this.#stop.signal.aborted) process.exit(ExitCode.interrupted);
      this.#stop.abort(new InterruptedError());
    };
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', interrupt);
    try {
      const result = await this.work();
      const text = this.json ? this.#serialise(result) : this.render(result);
      if (text !== '') process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
      process.exitCode = this.verdict(result);
      return result;
    } finally {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    }
  }

  /** Prints what people read as it happens; `--json` prints it all at the end. */
  protected say(text: string): void {
    if (!this.json) process.stdout.write(`${text}\n`);
  }

  protected override catch(thrown: unknown): Promise<unknown> {
    reportError(thrown, { json: this.json, command: this.id });
    return Promise.resolve();
  }

  #serialise(result: Result): string {
    const value = this.toJson(result);
    return value === null ? '' : JSON.stringify(value, null, 2);
  }
}

/** Prints whatever was thrown, and sets the exit code. */
export function reportError(thrown: unknown, options: { json: boolean; command: string | undefined }): void {
  const error = asHippoError(thrown, options.command);
  process.exitCode = error.exitCode;
  if (options.json) process.stdout.write(`${JSON.stringify({ error: jsonError(error) }, null, 2)}\n`);
  else if (!(error instanceof InterruptedError)) process.stderr.write(`${renderError(error)}\n`);
}

/** oclif reports bad flags by its own classes, which carry `oclif.exit`; everything else that is not ours is a bug. */
function asHippoError(thrown: unknown, command: string | undefined): HippoError {
  if (thrown instanceof HippoError) return thrown;
  if (thrown instanceof Error && 'oclif' in thrown) {
    const text = thrown.message.replace(/\nSee more help with --help$/, '').trim();
    return new UserError(text, {
      next: [`hippo ${command === undefined ? '' : `${command.replaceAll(':', ' ')} `}--help`],
      cause: thrown,
    });
  }
  return new BugError(messageOf(thrown), { cause: thrown });
}
