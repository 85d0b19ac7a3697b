import { BugError, ExitCode, HippoError, InterruptedError, UserError, messageOf } from '../core/errors.ts';
import { endProcess, isLooking } from '../core/looks.ts';
import { shellWord } from '../core/shell.ts';
import './color.ts';
import { jsonError, renderErrorReport, withoutTyped } from './errors.ts';
import { Flags, type Interfaces, parse } from './oclif.ts';

/** The values of flags, or of arguments. */
type Values = Record<string, unknown>;

/**
 * What every command shares: one result that feeds the text and `--json`, one place for errors, exit codes and
 * signals. A subclass parses its flags in {@link work}, calls one service, and returns that service's data.
 *
 * Results go to stdout; progress, logs and errors to stderr. Under `--json` an error is `{"error": {…}}` on stdout.
 */
export abstract class HippoCommand<Result> {
  // What oclif's help and its parser read of a command.
  static summary: string;
  static description?: string;
  static examples?: string[];
  static usage?: string;
  /** false: any number of arguments. */
  static strict = true;
  static args: Interfaces.ArgInput = {};
  static flags: Interfaces.FlagInput = {};
  static baseFlags = {
    json: Flags.boolean({ description: 'Print the result as JSON.', helpGroup: 'GLOBAL' }),
    config: Flags.string({
      description: 'The hippo.yaml to use. [default: the one in this folder or the nearest above]',
      env: 'HIPPO_CONFIG',
      helpGroup: 'GLOBAL',
      helpValue: 'FILE',
    }),
    profile: Flags.string({
      description: 'The profile of hippo.yaml to merge over its other settings.',
      env: 'HIPPO_PROFILE',
      helpGroup: 'GLOBAL',
      helpValue: 'NAME',
    }),
  };

  /** The words after the command. */
  protected readonly argv: readonly string[];
  readonly #name: string;
  readonly #stop = new AbortController();
  #isUnprintable = false;

  constructor(argv: readonly string[], name: string) {
    this.argv = argv;
    this.#name = name;
  }

  /**
   * Runs the command. Never throws: an error is printed, and the exit code is set.
   *
   * @param argv the words after the command's own
   * @param name those, e.g. `job run`
   */
  static async run(
    this: new (argv: readonly string[], name: string) => HippoCommand<unknown>,
    argv: readonly string[],
    name: string,
  ): Promise<void> {
    const command = new this(argv, name);
    command.#watchOutput();
    try {
      await command.#run();
    } catch (error) {
      reportError(await known(error), command.json, command.#typed);
    }
    if (isLooking()) endProcess(Number(process.exitCode ?? ExitCode.ok));
  }

  /** Aborted by Ctrl-C or SIGTERM. A service that was told so ends; the command then exits with 130. */
  protected get stopping(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether the result is printed as JSON; read from the words themselves, since parsing them may be what fails. */
  protected get json(): boolean {
    const end = this.argv.indexOf('--');
    return (end === -1 ? this.argv : this.argv.slice(0, end)).includes('--json');
  }

  /** Whether the command ends when its stdout is closed: `hippo tail | head -1`. */
  protected get endsWithItsReader(): boolean {
    return false;
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

  /**
   * The flags and arguments.
   *
   * @param command its own class
   * @param name the words whose --help an error names, where they are more than the command
   * @throws UserError for what the command does not take
   */
  protected async parse<F extends Values, B extends Values, A extends Values>(
    command: Pick<Interfaces.Input<F, B, A>, 'args' | 'flags' | 'baseFlags' | 'strict'>,
    name: string = this.#name,
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const { args, baseFlags, strict } = command;
    const flags = oneValueEach({ ...baseFlags, ...command.flags }) as Interfaces.FlagInput<F>;
    try {
      return await parse<F, B, A>([...this.argv], { ...(args && { args }), flags, strict });
    } catch (error) {
      throw await usageError(error, name, flags);
    }
  }

  /** Prints what people read as it happens; `--json` prints it all at the end. */
  protected say(text: string): void {
    if (!this.json) process.stdout.write(`${text}\n`);
  }

  /**
   * Asks for a yes on the terminal.
   *
   * @throws UserError where there is none, with what was typed and --yes; InterruptedError on Ctrl-C
   */
  protected async confirm(question: string): Promise<boolean> {
    const { confirm } = await import('./confirm.ts');
    const unattended = ['hippo', this.#name, ...this.argv.map(shellWord), '--yes'].join(' ');
    return confirm(question, unattended, this.stopping);
  }

  /** The command as it was typed, without --json. */
  get #typed(): string {
    return ['hippo', this.#name, ...this.argv.filter((word) => word !== '--json').map(shellWord)].join(' ');
  }

  /** Ends the command when the reader of its stdout ends, although nothing may be printed for a long time. */
  protected async endWithReader(): Promise<void> {
    const { whenReaderEnds } = await import('./pipe-reader.ts');
    await whenReaderEnds(process.stdout.fd, () => process.exit());
  }

  /** A closed stdout (EPIPE) must not stop a command that changes something; its exit code still tells the outcome. */
  #watchOutput(): void {
    process.stderr.on('error', () => undefined);
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && !this.#isUnprintable) {
        this.#isUnprintable = true;
        reportError(unprintable(error), false);
      }
      if (this.endsWithItsReader) process.exit();
    });
  }

  async #run(): Promise<void> {
    const interrupt = (): void => {
      // A second Ctrl-C ends the process at once.
      if (this.#stop.signal.aborted) endProcess(ExitCode.interrupted);
      this.#stop.abort(new InterruptedError());
    };
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', interrupt);
    try {
      const result = await this.work();
      const text = this.json ? this.#serialise(result) : this.render(result);
      if (text !== '') process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
      if (!this.#isUnprintable) process.exitCode = this.verdict(result);
    } finally {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    }
  }

  #serialise(result: Result): string {
    const value = this.toJson(result);
    return value === null ? '' : JSON.stringify(value, null, 2);
  }
}

/**
 * A flag that may be repeated takes one value each time: `hippo tail --partition 0 finish` leaves `finish` to the command.
 * oclif's default takes all words up to the next flag.
 */
function oneValueEach(flags: Interfaces.FlagInput): Interfaces.FlagInput {
  const entries = Object.entries(flags).map(([name, flag]) => [name, { ...flag, multipleNonGreedy: true }]);
  return Object.fromEntries(entries) as Interfaces.FlagInput;
}

/** Turns an error of the operating system into a UserError, so that it is not reported as a bug of hippo. */
async function known(thrown: unknown): Promise<unknown> {
  if (thrown instanceof HippoError) return thrown;
  const { refusedBySystem } = await import('./system-refusals.ts');
  return refusedBySystem(thrown) ?? thrown;
}

/** Most often the disk is full. */
function unprintable(error: Error): UserError {
  return new UserError('cannot write to stdout', { why: messageOf(error), cause: error });
}

/**
 * Prints the error, and sets the exit code.
 *
 * @param typed the command that was typed: it has just failed, so it is no remedy
 */
export function reportError(thrown: unknown, json: boolean, typed?: string): void {
  const error = thrown instanceof HippoError ? thrown : new BugError(messageOf(thrown), { cause: thrown });
  process.exitCode = error.exitCode;
  const report = withoutTyped(jsonError(error), typed);
  if (json) process.stdout.write(`${JSON.stringify({ error: report }, null, 2)}\n`);
  else if (!(error instanceof InterruptedError)) process.stderr.write(`${renderErrorReport(report)}\n`);
  else if (error.message !== new InterruptedError().message) process.stderr.write(`! ${error.message}\n`);
}

const SEE_HELP = /\nSee more help with --help$/;
/** What oclif's parser makes of the message of an error that a flag's own parser threw. */
const OF_A_FLAG = /^Parsing (--\S+) \n\t([^]*)$/;

/** What parsing has thrown, in our words. */
async function usageError(thrown: unknown, name: string, flags: Values): Promise<unknown> {
  if (!(thrown instanceof Error)) return thrown;
  const message = thrown.message
    .replace(SEE_HELP, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .trim();
  const [, flag, inner] = OF_A_FLAG.exec(message) ?? [];
  if (thrown instanceof HippoError) {
    thrown.message = inner ?? message;
    return thrown;
  }
  // oclif's own errors carry this key; everything else is a bug.
  if (!('oclif' in thrown)) return thrown;
  const [{ didYouMean }, { usageWords }] = await Promise.all([
    import('../core/near.ts'),
    import('./usage-words.ts'),
  ]);
  const [unknown] = 'flags' in thrown ? (thrown.flags as string[]) : [];
  return new UserError(usageWords(flag === undefined ? message : `${flag}: ${inner}`), {
    why:
      unknown === undefined
        ? undefined
        : didYouMean(
            unknown,
            Object.keys(flags).map((one) => `--${one}`),
          ),
    next: [`hippo ${name} --help`],
    cause: thrown,
  });
}
