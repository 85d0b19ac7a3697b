import type { ExitCode } from '../core/errors.ts';
import type { ReplayReport } from '../replay/replay.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { Args } from '../ui/oclif.ts';
import { replayFlags } from '../ui/replay-flags.ts';
import { renderLetters, renderReplay, replayVerdict } from '../ui/replay.ts';

export default class Replay extends HippoCommand<ReplayReport> {
  static override summary = 'Send rejected messages back from their dead-letter topics.';
  static override description =
    'Sends each message once, byte for byte, to the partition that it came from. TOPIC is a topic or its role: frontier, ' +
    'finish, schedule. [default: all] Exits with 1 if a message has been rejected too often or is too large.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> frontier --from -2h --yes',
    `<%= config.bin %> <%= command.id %> --filter 'headers["dlq.reason"].contains("JSON")'`,
  ];
  static override strict = false;
  static override args = { topic: Args.string({ description: 'A topic; you may name several.' }) };
  static override flags = replayFlags;

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
