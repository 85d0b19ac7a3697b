import type { SourceList } from '../../landings/list.ts';
import { HippoCommand } from '../../ui/base-command.ts';
import { renderSources, sourcesVerdict } from '../../ui/source.ts';
import type { ExitCode } from '../../core/errors.ts';

export default class SourceListCommand extends HippoCommand<SourceList> {
  static override summary = 'Show the sources of this hippo, and what their last scans found.';
  static override description =
    'What it shows comes from the state of the hippo in Kafka, so it is the same on any machine. It exits with 1 if a scan ' +
    'has failed, or no client runs.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  protected async work(): Promise<SourceList> {
    const { flags } = await this.parse(SourceListCommand);
    const { listSources } = await import('../../landings/list.ts');
    return listSources({ file: flags.config, profile: flags.profile, signal: this.stopping });
  }

  protected render(list: SourceList): string {
    return renderSources(list, Date.now());
  }

  protected override verdict(list: SourceList): ExitCode {
    return sourcesVerdict(list);
  }
}
