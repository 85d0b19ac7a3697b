import type { JobReport } from '../../job/ask.ts';
import { HippoCommand } from '../../ui/base-command.ts';
import { jobArgs, keyFlag, renderAsked, renderJob, requestFlags, requestWords } from '../../ui/job.ts';

export default class JobCancel extends HippoCommand<JobReport> {
  static override summary = 'Stop a run, or call off one that has not started.';
  static override description =
    'Its process is ended, and it does not come again by itself. Without --key: the one that is running.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> load --key 201704 --reason "wrong source"',
  ];
  static override args = jobArgs;
  static override flags = { ...keyFlag, ...requestFlags };

  protected async work(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobCancel);
    const { askHippo } = await import('../../job/ask.ts');
    return askHippo({
      ...requestWords(args, flags),
      action: 'cancel',
      key: flags.key ?? null,
      timeout: null,
      signal: this.stopping,
      onAsked: (asked) => this.say(renderAsked(asked)),
      onChange: () => undefined,
    });
  }

  protected render(report: JobReport): string {
    return renderJob(report);
  }
}
