import type { JobReport } from '../../job/ask.ts';
import { JobCommand } from '../../ui/job-command.ts';
import { requestFlags } from '../../ui/job.ts';

export default class JobPause extends JobCommand {
  static override summary = 'Start no further runs of a job.';
  static override description =
    'What runs goes on. What becomes ready meanwhile is kept, or dropped where hippo.yaml says while_paused: drop.';
  static override examples = ['<%= config.bin %> <%= command.id %> load --reason "warehouse upgrade"'];
  static override flags = requestFlags;

  protected async work(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobPause);
    const { askHippo } = await import('../../job/ask.ts');
    return askHippo(this.asking('pause', args, flags));
  }
}
