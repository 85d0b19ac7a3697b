import { ExitCode } from '../core/errors.ts';
import type { DryRunReport } from '../trigger/index.ts';
import type { TriggerReport } from '../trigger/trigger.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { dryRunJson, dryRunText, renderDryRun } from '../ui/trigger-dry-run.ts';
import { renderOutcome, triggerVerdict } from '../ui/trigger.ts';
import { refuseWithoutMany, triggerFlags, triggerOptions } from '../ui/trigger-flags.ts';
import { triggerListener } from '../ui/trigger-listener.ts';

export default class Trigger extends HippoCommand<TriggerReport | DryRunReport> {
  static override summary = 'Publish partition events, and optionally wait for the runs they start.';
  static override description =
    'Publishes one frontier event, the events of a range of partitions, or the events of a file. Values that you leave out ' +
    'come from hippo.yaml: from its section "trigger" and from the needs of its jobs. With --wait it exits with 0 if every run ' +
    'that the events caused has succeeded, 1 if one failed, 4 if it timed out or no hippo reacted.';
  static override usage = '<%= command.id %> [FLAGS]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --table btd.party --partition yyyymm=201704',
    '<%= config.bin %> <%= command.id %> --wait --timeout 10m',
    '<%= config.bin %> <%= command.id %> --range 2017-01..2017-12 --max-active 2 --wait',
    '<%= config.bin %> tail frontier --last 5 -e --json | <%= config.bin %> <%= command.id %> -f - --dry-run',
  ];
  static override flags = triggerFlags;

  protected override get endsWithItsReader(): boolean {
    return this.argv.includes('--dry-run');
  }

  protected async work(): Promise<TriggerReport | DryRunReport> {
    const { flags } = await this.parse(Trigger);
    refuseWithoutMany(flags);
    const { runTrigger } = await import('../trigger/index.ts');
    const listener = triggerListener({ json: this.json });
    const printer = this.json ? dryRunJson : dryRunText;
    try {
      return await runTrigger({
        ...triggerOptions(flags, this.argv),
        dryRun: flags['dry-run'] ? { printer, output: process.stdout } : null,
        listener,
        signal: this.stopping,
      });
    } finally {
      listener.end();
    }
  }

  protected render(report: TriggerReport | DryRunReport): string {
    return 'dry_run' in report ? renderDryRun(report) : renderOutcome(report);
  }

  protected override toJson(report: TriggerReport | DryRunReport): unknown {
    return 'dry_run' in report ? null : report;
  }

  protected override verdict(report: TriggerReport | DryRunReport): ExitCode {
    if ('dry_run' in report) return this.stopping.aborted ? ExitCode.interrupted : ExitCode.ok;
    return triggerVerdict(report);
  }
}
