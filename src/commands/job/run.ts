import type { ExitCode } from '../../core/errors.ts';
import type { JobReport } from '../../job/ask.ts';
import { HippoCommand } from '../../ui/base-command.ts';
import {
  jobArgs,
  jobVerdict,
  keyFlag,
  renderAsked,
  renderJob,
  requestFlags,
  requestWords,
  waitFlags,
} from '../../ui/job.ts';
import { renderChange } from '../../ui/trigger.ts';

export default class JobRun extends HippoCommand<JobReport> {
  static override summary = 'Run a job now, whatever is missing.';
  static override description =
    "The hippo's client runs it as soon as there is a free place, also where the job is paused. With --wait it exits as hippo trigger --wait does.";
  static override examples = [
    '<%= config.bin %> <%= command.id %> load --key 201704',
    '<%= config.bin %> <%= command.id %> sales/load --key 2017-04-28 --reason "late source" --wait',
  ];
  static override args = jobArgs;
  static override flags = { ...keyFlag, ...requestFlags, ...waitFlags };

  protected async work(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobRun);
    const { askHippo } = await import('../../job/ask.ts');
    return askHippo({
      ...requestWords(args, flags),
      action: 'run',
      key: flags.key ?? null,
      timeout: flags.wait ? flags.timeout : null,
      signal: this.stopping,
      onAsked: (asked) => this.say(renderAsked(asked)),
      onChange: (change) => this.say(renderChange(change)),
    });
  }

  protected render(report: JobReport): string {
    return renderJob(report);
  }

  protected override verdict(report: JobReport): ExitCode {
    return jobVerdict(report);
  }
}
