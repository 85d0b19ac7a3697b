import type { JobReport } from '../../job/ask.ts';
import { JobCommand } from '../../ui/job-command.ts';
import { keyFlag, requestFlags, waitFlags } from '../../ui/job.ts';

export default class JobMarkSuccess extends JobCommand {
  static override summary = 'Count a run as done, without running it.';
  static override description =
    'Its finish message says success, with who and why: the hippos that need it go on.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> load --key 201704 --reason "loaded by hand"',
  ];
  static override flags = { ...keyFlag, ...requestFlags, ...waitFlags };

  protected async work(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobMarkSuccess);
    const { askHippo } = await import('../../job/ask.ts');
    return askHippo(this.asking('mark_success', args, flags));
  }
}
