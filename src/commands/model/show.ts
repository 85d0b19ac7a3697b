import type { ModelReport } from '../../model/watch.ts';
import { HippoCommand } from '../../ui/base-command.ts';
import { modelArgs } from '../../ui/model-flags.ts';
import { renderModel } from '../../ui/model.ts';

export default class ModelShow extends HippoCommand<ModelReport> {
  static override summary = 'Show the versions of a model, which one serves, and what each service serves.';
  static override description =
    'The newest version comes first. ● marks the one that serves; a service that says it serves that one is marked ✓.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> iris',
    '<%= config.bin %> <%= command.id %> flowers/iris --json',
  ];
  static override args = modelArgs;

  protected async work(): Promise<ModelReport> {
    const { args, flags } = await this.parse(ModelShow);
    const { showModel } = await import('../../model/list.ts');
    const { config: file, profile } = flags;
    return showModel(args.model, { file, profile, signal: this.stopping });
  }

  protected render(report: ModelReport): string {
    return renderModel(report, Date.now());
  }
}
