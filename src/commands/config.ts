import type { LoadedConfig } from '../config/load.ts';
import type { ConfigReport } from '../config/report.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { renderConfig } from '../ui/config.ts';
import { Args } from '../ui/oclif.ts';

export default class Config extends HippoCommand<ConfigReport> {
  static override summary = 'Print the configuration in force and the origin of each value.';
  static override description =
    'Merges hippo.yaml, its defaults, the profile and the environment. Secrets are masked.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> kafka.sasl --profile prod',
    `<%= config.bin %> <%= command.id %> --json | jq '.values[] | select(.key == "kafka.brokers")'`,
  ];
  static override args = {
    section: Args.string({ description: 'Print only this key, e.g. kafka or jobs.load.' }),
  };

  protected async work(): Promise<ConfigReport> {
    const { args, flags } = await this.parse(Config);
    const [{ loadConfig }, { reportConfig }] = await Promise.all([
      import('../config/load.ts'),
      import('../config/report.ts'),
    ]);
    const { env } = process;
    const loaded = await loadConfig({ file: flags.config, profile: flags.profile, cwd: process.cwd(), env });
    return reportConfig(loaded, env, { section: args.section, warnings: await this.#compile(loaded) });
  }

  /** The templates of jobs, the levels of sources: what no client could run with is not in force. @returns the warnings */
  async #compile(loaded: LoadedConfig): Promise<readonly string[]> {
    const { jobs, sources, services } = loaded.config;
    if (loaded.file === null || Object.keys({ ...jobs, ...sources, ...services }).length === 0) return [];
    const { compileProject } = await import('../client/host/project.ts');
    return (await compileProject(loaded)).warnings;
  }

  protected render(report: ConfigReport): string {
    return renderConfig(report);
  }
}
