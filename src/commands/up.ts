import type { UpPlan, UpResult } from '../stack/up.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { durationFlag } from '../ui/flags.ts';
import { Flags } from '../ui/oclif.ts';
import { renderUp } from '../ui/stack.ts';

export default class Up extends HippoCommand<UpResult | UpPlan> {
  static override summary = 'Start a local Kafka with the hippo topics, and install Spark.';
  static override description =
    'Kafka comes from KAFKA_HOME, else Maven downloads it once; Spark comes from SPARK_HOME or PATH, else pip downloads it ' +
    'once. The data are in .hippo/ of the project. If kafka.brokers is configured, it starts no Kafka and only creates missing ' +
    'topics. stack.with and stack.jars of hippo.yaml name what else is started and fetched; with postgres, $DATABASE_URL of ' +
    'jobs, of services and of hippo.yaml is that of a local PostgreSQL unless it is set. Safe to repeat.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --port 9092 --no-spark',
    '<%= config.bin %> <%= command.id %> --with postgres',
    '<%= config.bin %> <%= command.id %> --dry-run',
  ];
  static override flags = {
    port: Flags.integer({
      helpValue: 'PORT',
      description: "Kafka's port. [default: the last one, or a free one]",
      min: 1,
      max: 65_535,
    }),
    with: Flags.string({
      helpValue: 'PART',
      description:
        'Also start this: postgres. Repeat it, or separate by commas. [default: stack.with of hippo.yaml]',
      multiple: true,
      delimiter: ',',
    }),
    spark: Flags.boolean({ allowNo: true, default: true, description: 'Install Spark if there is none.' }),
    timeout: durationFlag({ description: 'Wait at most this long for Kafka to start.', default: '5m' }),
    'dry-run': Flags.boolean({ description: 'Print the steps and do nothing.' }),
  };

  protected async work(): Promise<UpResult | UpPlan> {
    const { flags } = await this.parse(Up);
    const [{ up }, { runSteps }] = await Promise.all([import('../stack/up.ts'), import('../ui/steps.ts')]);
    return up({
      file: flags.config,
      profile: flags.profile,
      port: flags.port,
      spark: flags.spark,
      with: flags.with ?? [],
      timeout: flags.timeout,
      dryRun: flags['dry-run'],
      runSteps,
      signal: this.stopping,
    });
  }

  protected render(result: UpResult | UpPlan): string {
    return renderUp(result);
  }
}
