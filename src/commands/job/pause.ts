import type { JobReport } from '../../job/ask.ts';
import { JobCommand } from '../../ui/job-command.ts';
import { pausableArgs, requestFlags } from '../../ui/job.ts';

export default class JobPause extends JobCommand {
  static override summary = 'Pause a job, a source or a service until it is resumed.';
  static override description =
    'A job starts no further runs: running ones continue, and those that become ready are kept, or dropped if hippo.yaml says while_paused: drop. A source is not scanned. A service is stopped on every client.';
  static override examples = ['<%= config.bin %> <%= command.id %> load --reason "warehouse upgrade"'];
  static override args = pausableArgs;
  static override flags = requestFlags;

  protected async work(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobPause);
    const { askHippo } = await import('../../job/ask.ts');
    return askHippo(this.asking('pause', args, flags));
  }
}
