import type { ExitCode } from '../core/errors.ts';
import type { AskOptions, JobReport } from '../job/ask.ts';
import type { ScheduleAction } from '../messages/index.ts';
import { HippoCommand } from './base-command.ts';
import { jobArgs, jobVerdict, renderAsked, renderJob } from './job.ts';
import { renderChange } from './trigger.ts';

interface JobFlags {
  key?: string | undefined;
  by?: string | undefined;
  reason?: string | undefined;
  config?: string | undefined;
  profile?: string | undefined;
  'dry-run': boolean;
  wait?: boolean;
  timeout?: number;
}

/** The base class of the commands that send a request to a hippo. */
export abstract class JobCommand extends HippoCommand<JobReport> {
  static override args = jobArgs;

  protected asking(action: ScheduleAction, args: { job: string }, flags: JobFlags): AskOptions {
    return {
      action,
      job: args.job,
      key: flags.key ?? null,
      by: flags.by ?? null,
      reason: flags.reason ?? null,
      file: flags.config,
      profile: flags.profile,
      dryRun: flags['dry-run'],
      timeout: flags.wait === true ? (flags.timeout ?? null) : null,
      signal: this.stopping,
      onAsked: (asked) => this.say(renderAsked(asked)),
      onChange: (change) => this.say(renderChange(change)),
    };
  }

  protected render(report: JobReport): string {
    return renderJob(report);
  }

  protected override verdict(report: JobReport): ExitCode {
    return jobVerdict(report);
  }
}
