import type { ExitCode } from '../../core/errors.ts';
import type { ScanPreview, ScanResult } from '../../landings/scan.ts';
import { HippoCommand } from '../../ui/base-command.ts';
import { Args, Flags } from '../../ui/oclif.ts';
import { durationFlag } from '../../ui/flags.ts';
import { renderScan, scanVerdict } from '../../ui/source.ts';

export default class SourceScan extends HippoCommand<ScanResult | ScanPreview> {
  static override summary = 'Scan a source now.';
  static override description =
    'The client that owns the hippo scans and announces; this command waits for its report. With --dry-run this machine ' +
    'looks, and nothing is announced: it prints what would be announced, what waits to settle, what is skipped and why; with ' +
    '--json also all that was listed, for hippo simulate --listing.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> orders',
    '<%= config.bin %> <%= command.id %> orders --dry-run',
  ];
  static override args = { source: Args.string({ description: 'Its name in hippo.yaml.', required: true }) };
  static override flags = {
    'dry-run': Flags.boolean({ description: 'Look from this machine, and announce nothing.' }),
    timeout: durationFlag({ description: 'How long to wait for the owner.', default: '5m' }),
  };

  protected async work(): Promise<ScanResult | ScanPreview> {
    const { args, flags } = await this.parse(SourceScan);
    const { previewScan, scanSource } = await import('../../landings/scan.ts');
    const { config: file, profile, timeout, 'dry-run': isDry } = flags;
    const options = { ...args, file, profile, timeout, signal: this.stopping };
    return isDry ? previewScan({ ...options, listing: this.json }) : scanSource(options);
  }

  protected render(result: ScanResult | ScanPreview): string {
    return renderScan(result);
  }

  protected override verdict(result: ScanResult | ScanPreview): ExitCode {
    return scanVerdict(result);
  }
}
