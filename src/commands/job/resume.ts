import type { JobReport } from '../../job/ask.ts';
import { HippoCommand } from '../../ui/base-command.ts';
import { jobArgs, renderAsked, renderJob, requestFlags, requestWords } from '../../ui/job.ts';

export default class JobResume extends HippoCommand<JobReport> {
  static override summary = 'Let a paused job run again.';
  static override description = 'What became ready meanwhile runs now.';
  static override examples = ['<%= config.bin %> <%= command.id %> load'];
  static override args = jobArgs;
  static override flags = { ...requestFlags };

  protected async work(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobResume);
    const { askHippo } = await import('../../job/ask.ts');
    return askHippo({
      ...requestWords(args, flags),
      action: 'resume',
      key: null,
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
