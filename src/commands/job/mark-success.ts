import type { JobReport } from '../../job/ask.ts';
import { JobCommand } from '../../ui/job-command.ts';
import { keyFlag, requestFlags, waitFlags } from '../../ui/job.ts';

export default class JobMarkSuccess extends JobCommand {
  static override summary = 'Mark a run as succeeded without running it.';
  static override description =
    'Publishes a finish message of success with your name and reason, so that the hippos that need the run continue.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> load --key 201704 --reason "loaded by hand"',
  ];
  static override flags = { ...keyFlag(), ...requestFlags, ...waitFlags };

  protected async work(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobMarkSuccess);
    const { askHippo } = await import('../../job/ask.ts');
    return askHippo(this.asking('mark_success', args, flags));
  }
}
