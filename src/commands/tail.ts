import { ExitCode } from '../core/errors.ts';
import type { TailReport } from '../tail/run.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { Args } from '../ui/oclif.ts';
import { tailFlags, tailWords } from '../ui/tail-flags.ts';
import { renderSums } from '../ui/tail-report.ts';
import { tailView } from '../ui/tail.ts';

export default class Tail extends HippoCommand<TailReport> {
  static override summary = 'Print the records of topics, as they arrive or from the past.';
  static override description =
    'TOPIC is a name or a role: frontier, start, finish, schedule, health, alert, model, state, dlq. [default: all roles except state] ' +
    'It follows until Ctrl-C, unless a flag says where to end, and reads without a consumer group.';
  static override usage = '<%= command.id %> [TOPIC...] [FLAGS]';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> finish --last 10',
    "<%= config.bin %> <%= command.id %> finish --from -1d --to end --filter 'value.is_success == false'",
    '<%= config.bin %> <%= command.id %> frontier --from 2017-04-28 --exit-at-end --json > events.jsonl',
    "<%= config.bin %> <%= command.id %> frontier --format '{time} {value.db}.{value.table}\\n'",
  ];
  static override strict = false;
  static override args = {
    topic: Args.string({ description: 'A topic or a role; you may name several.' }),
  };
  static override flags = tailFlags;

  protected override get endsWithItsReader(): boolean {
    return true;
  }

  protected async work(): Promise<TailReport> {
    const { argv, flags } = await this.parse(Tail);
    const { tail } = await import('../tail/tail.ts');
    return tail({
      topics: argv as string[],
      pattern: flags.regex,
      words: tailWords(flags),
      file: flags.config,
      profile: flags.profile,
      output: process.stdout,
      view: (options) => {
        if (options.follows) void this.endWithReader();
        return tailView(options);
      },
      signal: this.stopping,
    });
  }

  protected render(report: TailReport): string {
    return renderSums(report);
  }

  /** The sums; records were printed on the way. */
  protected override toJson({ stopped, records, counts, stats, unread }: TailReport): unknown {
    if (counts !== null) return { stopped, records, topics: counts, unread };
    return stats === null ? null : { stopped, ...stats, unread };
  }

  protected override verdict({ stopped, unread }: TailReport): ExitCode {
    if (stopped === 'interrupted') return ExitCode.interrupted;
    return unread.length > 0 ? ExitCode.unreachable : ExitCode.ok;
  }
}
