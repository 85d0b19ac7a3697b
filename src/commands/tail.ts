import { systemClock } from '../core/clock.ts';
import { ExitCode } from '../core/errors.ts';
import type { TailReport } from '../tail/run.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { Args, Flags } from '../ui/oclif.ts';
import { renderSums } from '../ui/tail-report.ts';
import { tailView } from '../ui/tail.ts';

const WHERE = { helpGroup: 'WHERE' };
const WHICH = { helpGroup: 'WHICH' };
const HOW = { helpGroup: 'HOW' };

export default class Tail extends HippoCommand<TailReport> {
  static override summary = 'Print the records of topics, as they arrive or from the past.';
  static override description =
    'TOPIC is a name or a role: frontier, start, finish, schedule, health, state, dlq. [default: all roles except state] ' +
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
  static override flags = {
    regex: Flags.string({
      ...WHERE,
      description: 'Also read the topics whose names match.',
      helpValue: 'REGEX',
    }),
    partition: Flags.integer({
      ...WHERE,
      multiple: true,
      min: 0,
      description: 'Read only this partition; repeat the flag for more.',
      helpValue: 'N',
    }),
    from: Flags.string({
      ...WHERE,
      description: 'Start here: beginning, end, an offset, p:o, a date or time, -2h, @EPOCH, @T1..@T2.',
      helpValue: 'POSITION',
    }),
    to: Flags.string({
      ...WHERE,
      description: 'End here; takes the same positions as --from.',
      helpValue: 'POSITION',
    }),
    last: Flags.integer({
      ...WHERE,
      char: 'n',
      min: 0,
      description: 'Start with the last N records, over all partitions, merged by time.',
      helpValue: 'N',
      exclusive: ['from'],
    }),
    max: Flags.integer({ ...WHERE, min: 0, description: 'End after N records.', helpValue: 'N' }),
    'exit-at-end': Flags.boolean({
      ...WHERE,
      char: 'e',
      description: 'End at the present end of the topics.',
    }),
    key: Flags.string({ ...WHICH, description: 'Print only records with this key.', helpValue: 'KEY' }),
    grep: Flags.string({
      ...WHICH,
      description: 'Print only records whose value or key matches.',
      helpValue: 'REGEX',
    }),
    'ignore-case': Flags.boolean({
      ...WHICH,
      char: 'i',
      description: 'Ignore case in --grep.',
      dependsOn: ['grep'],
    }),
    filter: Flags.string({
      ...WHICH,
      description: `Print only records for which this CEL expression (https://cel.dev) is true: 'value.table == "party" && partition == 0'.`,
      helpValue: 'EXPRESSION',
    }),
    raw: Flags.boolean({
      ...HOW,
      description: 'Print each value unchanged, with a newline after it.',
      exclusive: ['json'],
    }),
    format: Flags.string({
      ...HOW,
      description:
        "Print fields by name, {time} {key} {value.table}, and kcat's tokens, %t %p %o %k %s %T %h, with \\n and \\t.",
      helpValue: 'TEXT',
      exclusive: ['raw', 'json'],
    }),
    count: Flags.boolean({
      ...HOW,
      description: 'Print only the number of records.',
      exclusive: ['raw', 'format'],
    }),
    stats: Flags.boolean({
      ...HOW,
      description: 'Print only numbers and rates, for each topic, table and hippo.',
      exclusive: ['raw', 'format', 'count'],
    }),
    follow: Flags.boolean({ ...HOW, description: 'With --count or --stats: continue until Ctrl-C.' }),
  };

  protected override get endsWithItsReader(): boolean {
    return true;
  }

  protected async work(): Promise<TailReport> {
    const { argv, flags } = await this.parse(Tail);
    const [{ loadConfig }, { connectProject }, { planTail, runTail, selectTopics, topicKinds }] =
      await Promise.all([
        import('../config/load.ts'),
        import('../kafka/project.ts'),
        import('../tail/index.ts'),
      ]);
    const { config: file, profile, regex: pattern, partition: partitions } = flags;
    const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
    const { config } = loaded;
    const words = { ...flags, partitions, exitAtEnd: flags['exit-at-end'], ignoreCase: flags['ignore-case'] };
    const plan = await planTail(words, config, systemClock);
    const kafka = await connectProject(loaded, process.env, this.stopping);
    try {
      const existing = (await kafka.topics()).map(({ topic }) => topic);
      const wish = { names: argv as string[], pattern };
      const choose = (names: readonly string[]): string[] => selectTopics(config, names, wish);
      const place = { topics: choose(existing), kinds: topicKinds(config), ...(pattern && { choose }) };
      const { timezone } = config.calendar;
      const view = tailView({ ...place, timezone, now: systemClock.now(), follows: plan.follows });
      view.begin();
      const report = await runTail(kafka, plan, place, {
        view,
        output: process.stdout,
        signal: this.stopping,
      });
      view.end(report);
      return report;
    } finally {
      await kafka.close();
    }
  }

  protected render(report: TailReport): string {
    return renderSums(report);
  }

  /** The sums; records were printed on the way. */
  protected override toJson({ stopped, records, counts, stats }: TailReport): unknown {
    if (counts !== null) return { stopped, records, topics: counts };
    return stats === null ? null : { stopped, ...stats };
  }

  protected override verdict({ stopped }: TailReport): ExitCode {
    return stopped === 'interrupted' ? ExitCode.interrupted : ExitCode.ok;
  }
}
