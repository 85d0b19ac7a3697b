import type { AlertList } from '../../alerts/list.ts';
import { renderAlerts } from '../../ui/alerts.ts';
import { HippoCommand } from '../../ui/base-command.ts';
import { Flags } from '../../ui/oclif.ts';

export default class AlertsList extends HippoCommand<AlertList> {
  static override summary = 'List the open alerts of this hippo.';
  static override description =
    'What it shows comes from the state of the hippos in Kafka, so it is the same on any machine. Without a hippo.yaml, or with ' +
    '--all, it lists the alerts of all hippos of topics.prefix. It exits with 0, also where alerts are open.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --all --json',
  ];
  static override flags = {
    all: Flags.boolean({ description: "List all hippos' alerts, not only this project's." }),
  };

  protected async work(): Promise<AlertList> {
    const { flags } = await this.parse(AlertsList);
    const { listAlerts } = await import('../../alerts/list.ts');
    const { config: file, profile, all } = flags;
    return listAlerts({ file, profile, all, signal: this.stopping });
  }

  protected render(list: AlertList): string {
    return renderAlerts(list, Date.now());
  }
}
