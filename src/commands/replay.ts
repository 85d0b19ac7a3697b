import type { ExitCode } from '../core/errors.ts';
import type { ReplayReport } from '../replay/replay.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { Args, Flags } from '../ui/oclif.ts';
import { renderLetters, renderReplay, replayVerdict } from '../ui/replay.ts';

export default class Replay extends HippoCommand<ReplayReport> {
  static override summary = 'Send rejected messages back from their dead-letter topics.';
  static override description =
    'Byte for byte, to the partition that they came from, and each once: what was sent back before is left, as Kafka itself ' +
    'remembers. TOPIC is a topic or what it is for: frontier, finish, schedule; without one: all. ' +
    'Exits with 1 where a message comes back again and again.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> frontier --from -2h --yes',
    `<%= config.bin %> <%= command.id %> --filter 'headers["dlq.reason"].contains("JSON")'`,
  ];
  static override strict = false;
  static override args = { topic: Args.string({ description: 'A topic; several may be named.' }) };
  static override flags = {
    from: Flags.string({
      description: 'Dead letters from here on: an offset, p:o, a date or time, -2h, @T1..@T2.',
      helpValue: 'POSITION',
    }),
    to: Flags.string({ description: 'Up to here.', helpValue: 'POSITION' }),
    last: Flags.integer({
      char: 'n',
      min: 0,
      description: 'The last N in all.',
      helpValue: 'N',
      exclusive: ['from'],
    }),
    filter: Flags.string({
      description: 'Those that match, in CEL; see hippo tail --help.',
      helpValue: 'EXPRESSION',
    }),
    again: Flags.boolean({ description: 'Also what was, or may have been, sent back before.' }),
    force: Flags.boolean({ description: 'Also what has come back too often.' }),
    limit: Flags.integer({
      min: 1,
      default: 3,
      description: 'How often a message may come back.',
      helpValue: 'N',
    }),
    'dry-run': Flags.boolean({
      description: 'Say what would go where, and why it was rejected; send nothing.',
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
