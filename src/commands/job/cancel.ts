import type { JobReport } from '../../job/ask.ts';
import { JobCommand } from '../../ui/job-command.ts';
import { keyFlag, requestFlags } from '../../ui/job.ts';

export default class JobCancel extends JobCommand {
  static override summary = 'Cancel a run, also one that has not started.';
  static override description =
    "Ends the run's process. The run does not start again by itself. Without --key it cancels the run that is running.";
  static override examples = [
    '<%= config.bin %> <%= command.id %> load --key 201704 --reason "wrong source"',
  ];
  static override flags = {
    ...keyFlag('the run that is running'),
    ...requestFlags,
  };

  protected async work(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobCancel);
    const { askHippo } = await import('../../job/ask.ts');
    return askHippo(this.asking('cancel', args, flags));
  }
}
