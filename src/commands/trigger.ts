import { Flags } from '@oclif/core';
import { systemClock } from '../core/clock.ts';
import type { ExitCode } from '../core/errors.ts';
import type { TriggerReport } from '../trigger/trigger.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { durationFlag } from '../ui/flags.ts';
import {
  renderChange,
  renderExplanation,
  renderOutcome,
  renderPublished,
  waitVerdict,
} from '../ui/trigger.ts';

export default class Trigger extends HippoCommand<TriggerReport> {
  static override summary = 'Say that a table has landed, and follow what that sets off.';
  static override description =
    'Publishes a frontier event. What is left out comes from hippo.yaml: the section "trigger", or the only table that its jobs need. ' +
    'With --wait it exits with 0 when every run that the event caused has succeeded, 1 when one failed, 4 when that takes too long or nobody reacts.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --table btd.party --partition yyyymm=201704',
    '<%= config.bin %> <%= command.id %> --wait --timeout 10m',
  ];
  static override flags = {
    table: Flags.string({ char: 't', description: 'What has landed, as db.table.', helpValue: 'DB.TABLE' }),
    partition: Flags.string({
      char: 'p',
      multiple: true,
      multipleNonGreedy: true,
      description: 'A level of its partition; once for each level, outermost first.',
      helpValue: 'NAME=VALUE',
    }),
    method: Flags.string({
      description: 'How it was written: partition, overwrite_partition, overwrite, append.',
    }),
    'exec-date': Flags.string({
      description:
        'When it landed: a date, an ISO time, an epoch or "now". A later one of the same partition is a re-landing.',
      helpValue: 'TIME',
    }),
    dialect: Flags.string({ description: 'How the message is written: pairs, arrays, scalars or legacy.' }),
    wait: Flags.boolean({
      char: 'w',
      description: 'Follow the event until every run that it caused has ended.',
    }),
    timeout: durationFlag({ description: 'How long to wait at most.', default: '30m' }),
  };

  protected async work(): Promise<TriggerReport> {
    const { flags } = await this.parse(Trigger);
    const [{ connectProject }, { loadConfig }, { planOne, trigger }] = await Promise.all([
      import('../kafka/project.ts'),
      import('../config/load.ts'),
      import('../trigger/trigger.ts'),
    ]);
    const loaded = await loadConfig({
      file: flags.config,
      profile: flags.profile,
      cwd: process.cwd(),
      env: process.env,
    });
    const event = await planOne({ ...flags, execDate: flags['exec-date'] }, loaded.config, systemClock);
    const kafka = await connectProject(loaded, process.env);
    try {
      const wait = flags.wait ? { timeout: flags.timeout, clock: systemClock, signal: this.stopping } : null;
      return await trigger(kafka, loaded.config, [event], wait, {
        onPublished: (published) => this.#say(renderPublished(published)),
        onChange: (change) => this.#say(renderChange(change)),
        onExplanation: (explanation) => process.stderr.write(`${renderExplanation(explanation)}\n`),
      });
    } finally {
      await kafka.close();
    }
  }

  protected render(report: TriggerReport): string {
    return renderOutcome(report);
  }

  protected override verdict({ wait }: TriggerReport): ExitCode {
    return waitVerdict(wait);
  }

  /** What people read as it happens; `--json` prints it all at the end. */
  #say(text: string): void {
    if (!this.json) process.stdout.write(`${text}\n`);
  }
}
