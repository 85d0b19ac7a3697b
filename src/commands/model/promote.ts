import type { ExitCode } from '../../core/errors.ts';
import type { PromoteReport } from '../../model/promote.ts';
import { HippoCommand } from '../../ui/base-command.ts';
import { modelArgs, promoteFlags } from '../../ui/model-flags.ts';
import { promoteVerdict, renderPromoted } from '../../ui/model.ts';
import { Args } from '../../ui/oclif.ts';

export default class ModelPromote extends HippoCommand<PromoteReport> {
  static override summary = 'Let a version of a model serve that was built before.';
  static override description =
    'It waits until the version serves, and says which services have loaded it. It exits with 1 if the version cannot serve, ' +
    'with 4 if no client has taken the message in time.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> iris 20261128T234539Z-d2680d --reason "checked by hand"',
  ];
  static override args = {
    ...modelArgs,
    version: Args.string({ description: 'The version, as hippo model show lists it.', required: true }),
  };
  static override flags = promoteFlags;

  protected async work(): Promise<PromoteReport> {
    const { args, flags } = await this.parse(ModelPromote);
    const { promoteModel } = await import('../../model/promote.ts');
    const { config: file, profile, by = null, reason = null, timeout } = flags;
    return promoteModel({ file, profile, ...args, by, reason, timeout, signal: this.stopping });
  }

  protected render(report: PromoteReport): string {
    return renderPromoted(report);
  }

  protected override verdict(report: PromoteReport): ExitCode {
    return promoteVerdict(report);
  }
}
