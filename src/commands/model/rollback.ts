import type { ExitCode } from '../../core/errors.ts';
import type { PromoteReport } from '../../model/promote.ts';
import { HippoCommand } from '../../ui/base-command.ts';
import { modelArgs, promoteFlags } from '../../ui/model-flags.ts';
import { promoteVerdict, renderPromoted } from '../../ui/model.ts';

export default class ModelRollback extends HippoCommand<PromoteReport> {
  static override summary = 'Let the version of a model serve that served before.';
  static override description =
    'It waits until that version serves, and says which services have loaded it. A second rollback undoes the first.';
  static override examples = ['<%= config.bin %> <%= command.id %> iris --reason "wrong predictions"'];
  static override args = modelArgs;
  static override flags = promoteFlags;

  protected async work(): Promise<PromoteReport> {
    const { args, flags } = await this.parse(ModelRollback);
    const { promoteModel } = await import('../../model/promote.ts');
    const { config: file, profile, by = null, reason = null, timeout } = flags;
    const { model } = args;
    return promoteModel({ file, profile, model, version: null, by, reason, timeout, signal: this.stopping });
  }

  protected render(report: PromoteReport): string {
    return renderPromoted(report);
  }

  protected override verdict(report: PromoteReport): ExitCode {
    return promoteVerdict(report);
  }
}
