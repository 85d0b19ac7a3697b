import type { ExitCode } from '../../core/errors.ts';
import type { BuildReport } from '../../model/build.ts';
import { HippoCommand } from '../../ui/base-command.ts';
import { buildFlags, modelArgs } from '../../ui/model-flags.ts';
import { buildVerdict, renderBuildRun, renderBuilt, renderSent } from '../../ui/model.ts';

export default class ModelBuild extends HippoCommand<BuildReport> {
  static override summary = 'Build a new version of a model now.';
  static override description =
    "It publishes BUILD_MODEL, which runs the model's builder. With --wait it follows the run, says whether the version was " +
    'promoted, with the figures of both versions, and exits with 1 if the build failed or was refused, with 4 if it took too long.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> iris --wait',
    '<%= config.bin %> <%= command.id %> iris --param reg_param=0.1 --reason "less overfitting"',
  ];
  static override args = modelArgs;
  static override flags = buildFlags;

  protected async work(): Promise<BuildReport> {
    const { args, flags } = await this.parse(ModelBuild);
    const { buildModel } = await import('../../model/build.ts');
    const { config: file, profile, param: params = [], by = null, reason = null, wait, timeout } = flags;
    let hippo = '';
    return buildModel({
      ...{ file, profile, model: args.model, params, by, reason, signal: this.stopping },
      timeout: wait ? timeout : null,
      onSent: (sent) => {
        hippo = sent.hippo;
        this.say(renderSent(sent));
      },
      onStarted: (run) => this.say(renderBuildRun(hippo, run)),
    });
  }

  protected render(report: BuildReport): string {
    return renderBuilt(report);
  }

  protected override verdict(report: BuildReport): ExitCode {
    return buildVerdict(report);
  }
}
