import type { JobReport } from '../../job/ask.ts';
import { JobCommand } from '../../ui/job-command.ts';
import { requestFlags } from '../../ui/job.ts';

export default class JobPause extends JobCommand {
  static override summary = 'Pause a job: it starts no further runs.';
  static override description =
    'Running runs continue. Runs that become ready are kept, or dropped if hippo.yaml says while_paused: drop.';
  static override examples = ['<%= config.bin %> <%= command.id %> load --reason "warehouse upgrade"'];
  static override flags = requestFlags;

  protected async work(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobPause);
    const { askHippo } = await import('../../job/ask.ts');
    return askHippo(this.asking('pause', args, flags));
  }
}
