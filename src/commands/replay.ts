import type { ExitCode } from '../core/errors.ts';
import type { ReplayReport } from '../replay/replay.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { Args, Flags } from '../ui/oclif.ts';
import { renderLetters, renderReplay, replayVerdict } from '../ui/replay.ts';

export default class Replay extends HippoCommand<ReplayReport> {
  static override summary = 'Send rejected messages back from their dead-letter topics.';
  static override description =
    'Sends each message once, byte for byte, to the partition that it came from. TOPIC is a topic or its role: frontier, ' +
    'finish, schedule. [default: all] Exits with 1 if a message has been rejected too often.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> frontier --from -2h --yes',
    `<%= config.bin %> <%= command.id %> --filter 'headers["dlq.reason"].contains("JSON")'`,
  ];
  static override strict = false;
  static override args = { topic: Args.string({ description: 'A topic; you may name several.' }) };
  static override flags = {
    from: Flags.string({
      description: 'Start here: an offset, p:o, a date or time, -2h, @T1..@T2.',
      helpValue: 'POSITION',
    }),
    to: Flags.string({ description: 'End here; takes the same positions as --from.', helpValue: 'POSITION' }),
    last: Flags.integer({
      char: 'n',
      min: 0,
      description: 'Send only the last N, over all partitions.',
      helpValue: 'N',
      exclusive: ['from'],
    }),
    filter: Flags.string({
      description: 'Send only records for which this CEL expression is true; see hippo tail --help.',
      helpValue: 'EXPRESSION',
    }),
    again: Flags.boolean({
      description: 'Also send messages that were, or may have been, sent back before.',
    }),
    force: Flags.boolean({ description: 'Also send messages that have been rejected too often.' }),
    limit: Flags.integer({
      min: 1,
      default: 3,
      description: 'How often a message may be rejected before it is not sent again.',
      helpValue: 'N',
    }),
    'dry-run': Flags.boolean({
      description: 'Print each message, its target and the reason of its rejection; send nothing.',
    }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask before sending.' }),
  };

  protected async work(): Promise<ReplayReport> {
    const { argv, flags } = await this.parse(Replay);
    const { replay } = await import('../replay/replay.ts');
    return replay({
      ...flags,
      topics: argv as string[],
      file: flags.config,
      dryRun: flags['dry-run'],
      signal: this.stopping,
      onPlan: (letters) => (letters.length > 0 ? this.say(renderLetters(letters)) : undefined),
      confirm: async (question) => flags.yes || (await this.confirm(question)),
    });
  }

  protected render(report: ReplayReport): string {
    return renderReplay(report);
  }

  protected override verdict(report: ReplayReport): ExitCode {
    return replayVerdict(report);
  }
}
