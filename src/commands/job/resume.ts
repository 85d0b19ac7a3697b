import type { JobReport } from '../../job/ask.ts';
import { JobCommand } from '../../ui/job-command.ts';
import { pausableArgs, requestFlags } from '../../ui/job.ts';

export default class JobResume extends JobCommand {
  static override summary = 'Resume a paused job, source or service.';
  static override description =
    'The runs that became ready during the pause start now; a source is scanned; a service starts, also where it was given up.';
  static override examples = ['<%= config.bin %> <%= command.id %> load'];
  static override args = pausableArgs;
  static override flags = requestFlags;

  protected async work(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobResume);
    const { askHippo } = await import('../../job/ask.ts');
    return askHippo(this.asking('resume', args, flags));
  }
}
