import { ExitCode } from '../core/errors.ts';
import type { TractorReport } from '../tractor/tractor.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { durationFlag } from '../ui/flags.ts';
import { Flags } from '../ui/oclif.ts';
import { renderOutcome, renderPlan, renderTractorEnd } from '../ui/tractor.ts';

export default class Tractor extends HippoCommand<TractorReport> {
  static override summary = 'Find stuck runs and events, and run failed runs again.';
  static override description =
    'Lists failed runs, hippos without a client and unanswered events. It changes nothing without --pull, and exits with 1 ' +
    'while something is stuck.';
  static override usage = '<%= command.id %> [FLAGS]';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --all --since 7d',
    '<%= config.bin %> <%= command.id %> --pull --yes --reason "disk was full"',
  ];
  static override flags = {
    hippo: Flags.string({
      multiple: true,
      description:
        "Look at this hippo; repeat the flag for more. [default: the project's hippo; without one, all]",
      helpValue: 'NAME',
    }),
    all: Flags.boolean({ description: 'Look at all hippos of this Kafka.', exclusive: ['hippo'] }),
    since: durationFlag({ description: 'Read events of this long ago and later.', default: '2d' }),
    pull: Flags.boolean({
      description: 'Run the failed runs again and wait for each.',
      exclusive: ['dry-run'],
    }),
    'dry-run': Flags.boolean({ description: 'Print only the plan, as without --pull.' }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask before pulling.', dependsOn: ['pull'] }),
    reason: Flags.string({
      description: 'The reason, kept with each run.',
      helpValue: 'TEXT',
      dependsOn: ['pull'],
    }),
    timeout: durationFlag({
      description: 'Wait at most this long for the runs that were pulled.',
      default: '30m',
    }),
    wait: Flags.boolean({ allowNo: true, default: true, description: 'Wait for the runs that were pulled.' }),
  };

  protected async work(): Promise<TractorReport> {
    const { flags } = await this.parse(Tractor);
    const { runTractor } = await import('../tractor/session.ts');
    return runTractor({
      file: flags.config,
      profile: flags.profile,
      hippos: flags.hippo ?? null,
      all: flags.all,
      lookBack: flags.since,
      pull: flags.pull,
      reason: flags.reason ?? null,
      timeout: flags.wait ? flags.timeout : null,
      signal: this.stopping,
      onPlan: (plan) => this.say(renderPlan(plan)),
      onOutcome: (outcome) => this.say(renderOutcome(outcome)),
      confirm: async (question) => flags.yes || (await this.confirm(question)),
    });
  }

  protected render(result: TractorReport): string {
    return renderTractorEnd(result);
  }

  protected override verdict({ parts, pulled }: TractorReport): ExitCode {
    if (pulled?.some(({ result }) => result === 'timed-out') === true) return ExitCode.timeout;
    const done = pulled?.filter(({ result }) => result === 'succeeded').length ?? 0;
    const stuck = parts.reduce((sum, part) => sum + part.stuck.length, 0);
    return stuck > done ? ExitCode.notFine : ExitCode.ok;
  }
}
