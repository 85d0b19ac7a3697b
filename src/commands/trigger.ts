import { systemClock } from '../core/clock.ts';
import { ExitCode } from '../core/errors.ts';
import type { DryRunReport } from '../trigger/index.ts';
import type { TriggerReport } from '../trigger/trigger.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { renderDryRun } from '../ui/trigger-dry-run.ts';
import { renderOutcome, triggerVerdict } from '../ui/trigger.ts';
import { refuseWithoutMany, repeatedFlags, triggerFlags } from '../ui/trigger-flags.ts';

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
    const [{ connectProject }, { loadConfig }, { dryRun, parseRate, runTrigger }] = await Promise.all([
      import('../kafka/project.ts'),
      import('../config/load.ts'),
      import('../trigger/index.ts'),
    ]);
    refuseWithoutMany(flags);
    const rate = flags.rate === undefined ? undefined : parseRate(flags.rate);
    const loaded = await loadConfig({ ...flags, file: flags.config, cwd: process.cwd(), env: process.env });
    const words = {
      ...flags,
      execDate: flags['exec-date'],
      fromLine: flags['from-line'],
      skipBad: flags['skip-bad'],
    };
    const options = {
      ...{ wait: flags.wait, timeout: flags.timeout, maxActive: flags['max-active'], rate },
      ...{ repeat: repeatedFlags(this.argv, flags), clock: systemClock, signal: this.stopping },
    };
    const connect = (): ReturnType<typeof connectProject> =>
      connectProject(loaded, process.env, this.stopping);
    const { triggerListener } = await import('../ui/trigger-listener.ts');
    const listener = triggerListener({ json: this.json });
    try {
      if (flags['dry-run']) {
        const { dryRunJson, dryRunText } = await import('../ui/trigger-dry-run.ts');
        const printer = this.json ? dryRunJson : dryRunText;
        const output = process.stdout;
        return await dryRun(loaded.config, words, { options, connect, printer, output, listener });
      }
      return await runTrigger(loaded.config, words, { options, connect, listener });
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
