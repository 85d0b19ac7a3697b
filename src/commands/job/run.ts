import type { JobReport } from '../../job/ask.ts';
import { JobCommand } from '../../ui/job-command.ts';
import { keyFlag, requestFlags, waitFlags } from '../../ui/job.ts';

export default class JobRun extends JobCommand {
  static override summary = 'Run a job now, even if needs are missing.';
  static override description =
    "The hippo's client starts it as soon as the job's concurrency allows, even if the job is paused. With --wait it exits like hippo trigger --wait.";
  static override examples = [
    '<%= config.bin %> <%= command.id %> load --key 201704',
    '<%= config.bin %> <%= command.id %> sales/load --key 2017-04-28 --reason "late source" --wait',
  ];
  static override flags = { ...keyFlag(), ...requestFlags, ...waitFlags };

  protected async work(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobRun);
    const { askHippo } = await import('../../job/ask.ts');
    return askHippo(this.asking('run', args, flags));
  }
}
