import type { AlertsTest } from '../../alerts/try.ts';
import type { ExitCode } from '../../core/errors.ts';
import { renderAlertsTest, testVerdict } from '../../ui/alerts.ts';
import { HippoCommand } from '../../ui/base-command.ts';
import { Args, Flags } from '../../ui/oclif.ts';

export default class AlertsTestCommand extends HippoCommand<AlertsTest> {
  static override summary = 'Send a test alert through each receiver of hippo.yaml.';
  static override description =
    'It sends from this machine, without a client or Kafka, and prints what each receiver answers and how long that takes. ' +
    'Quiet hours, rates and alert kinds do not apply. It exits with 1 if a receiver refuses the alert, with 3 if one cannot be ' +
    'reached or does not answer.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> oncall',
    '<%= config.bin %> <%= command.id %> --dry-run',
  ];
  static override strict = false;
  static override args = {
    receiver: Args.string({ description: 'Names of receivers. [default: all]' }),
  };
  static override flags = {
    'dry-run': Flags.boolean({ description: 'Print what would be sent, with secrets masked.' }),
  };

  protected async work(): Promise<AlertsTest> {
    const { argv, flags } = await this.parse(AlertsTestCommand);
    const { testReceivers } = await import('../../alerts/try.ts');
    const { config: file, profile, 'dry-run': isDry } = flags;
    return testReceivers({ file, profile, names: argv as string[], isDry, signal: this.stopping });
  }

  protected render(test: AlertsTest): string {
    return renderAlertsTest(test);
  }

  protected override verdict(test: AlertsTest): ExitCode {
    return testVerdict(test);
  }
}
