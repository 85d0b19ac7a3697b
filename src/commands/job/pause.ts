import type { JobReport } from '../../job/ask.ts';
import { HippoCommand } from '../../ui/base-command.ts';
import { jobArgs, renderAsked, renderJob, requestFlags, requestWords } from '../../ui/job.ts';

export default class JobPause extends HippoCommand<JobReport> {
  static override summary = 'Start no further runs of a job.';
  static override description =
    'What runs goes on. What becomes ready meanwhile is kept, or dropped where hippo.yaml says while_paused: drop.';
  static override examples = ['<%= config.bin %> <%= command.id %> load --reason "warehouse upgrade"'];
  static override args = jobArgs;
  static override flags = { ...requestFlags };

  protected async work(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobPause);
    const { askHippo } = await import('../../job/ask.ts');
    return askHippo({
      ...requestWords(args, flags),
      action: 'pause',
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
