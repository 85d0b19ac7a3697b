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

export default class JobMarkSuccess extends HippoCommand<JobReport> {
  static override summary = 'Count a run as done, without running it.';
  static override description =
    'Its finish message says success, with who and why: the hippos that need it go on.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> load --key 201704 --reason "loaded by hand"',
  ];
  static override args = jobArgs;
  static override flags = { ...keyFlag, ...requestFlags, ...waitFlags };

  protected async work(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobMarkSuccess);
    const { askHippo } = await import('../../job/ask.ts');
    return askHippo({
      ...requestWords(args, flags),
      action: 'mark_success',
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
