import type { ModelList as Models } from '../../model/list.ts';
import { HippoCommand } from '../../ui/base-command.ts';
import { renderModels } from '../../ui/model.ts';
import { Flags } from '../../ui/oclif.ts';

export default class ModelList extends HippoCommand<Models> {
  static override summary = 'List the models of this hippo, their versions, and which version serves.';
  static override description =
    'What it shows comes from state and health messages in Kafka, so it is the same on any machine. Without a hippo.yaml, or ' +
    'with --all, it lists the models of all hippos of topics.prefix.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --all --json',
  ];
  static override flags = {
    all: Flags.boolean({ description: "List all hippos' models, not only this project's." }),
  };

  protected async work(): Promise<Models> {
    const { flags } = await this.parse(ModelList);
    const { listModels } = await import('../../model/list.ts');
    const { config: file, profile, all } = flags;
    return listModels({ file, profile, all, signal: this.stopping });
  }

  protected render(list: Models): string {
    return renderModels(list, Date.now());
  }
}
