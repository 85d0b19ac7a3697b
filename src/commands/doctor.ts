import { ExitCode } from '../core/errors.ts';
import type { CheckList } from '../doctor/doctor.ts';
import type { DoctorReport } from '../doctor/runner.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { renderCheck, renderCheckList, renderTotals } from '../ui/doctor.ts';
import { Args, Flags } from '../ui/oclif.ts';

export default class Doctor extends HippoCommand<DoctorReport | CheckList> {
  static override summary = 'Check this machine, project and Kafka, and print a remedy for each problem.';
  static override description =
    'Exits with 1 if a check finds an error, with 4 if none does but one had no time to answer, and with 0 if there are ' +
    'only warnings.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> kafka topics',
    '<%= config.bin %> <%= command.id %> --json',
  ];
  static override strict = false;
  static override args = {
    check: Args.string({ description: 'Run only this check; you may name several. --list prints them.' }),
  };
  static override flags = {
    list: Flags.boolean({ description: 'List the checks and run none.' }),
  };

  protected async work(): Promise<DoctorReport | CheckList> {
    const { argv, flags } = await this.parse(Doctor);
    const { runDoctor } = await import('../doctor/doctor.ts');
    return runDoctor({
      names: argv as string[],
      list: flags.list,
      file: flags.config,
      profile: flags.profile,
      onReport: (report) => this.say(renderCheck(report)),
      signal: this.stopping,
    });
  }

  protected render(result: DoctorReport | CheckList): string {
    return 'totals' in result ? `\n${renderTotals(result)}` : renderCheckList(result.checks);
  }

  protected override verdict(result: DoctorReport | CheckList): ExitCode {
    if (!('totals' in result)) return ExitCode.ok;
    if (result.totals.error > 0) return ExitCode.notFine;
    return result.totals.unknown > 0 ? ExitCode.timeout : ExitCode.ok;
  }
}
