import type { ExitCode } from '../core/errors.ts';
import type { TractorReport } from '../tractor/tractor.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { tractorFlags } from '../ui/tractor-flags.ts';
import { renderOutcome, renderPlan, renderTractorEnd, tractorVerdict } from '../ui/tractor.ts';

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
  static override flags = tractorFlags;

  protected async work(): Promise<TractorReport> {
    const { flags } = await this.parse(Tractor);
    const { runTractor } = await import('../tractor/session.ts');
    return runTractor({
      file: flags.config,
      profile: flags.profile,
      hippos: flags.hippo ?? null,
      all: flags.all,
      lookBack: flags.since,
      pull: flags.pull && !flags['dry-run'],
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

  protected override verdict(report: TractorReport): ExitCode {
    return tractorVerdict(report);
  }
}
