import { UserError } from '../core/errors.ts';
import type { SimulationReport } from '../simulate/session.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { Args } from '../ui/oclif.ts';
import { simulateFlags } from '../ui/simulate-flags.ts';
import { renderSimulation } from '../ui/simulate.ts';

export default class Simulate extends HippoCommand<SimulationReport> {
  static override summary = 'Show which runs recorded events would start and which would wait.';
  static override description =
    "Passes records through the client's own state machine with this project's hippo.yaml, at the records' own times, " +
    'starting with an empty state. It assumes that jobs succeed, starts nothing and writes nothing.';
  static override examples = [
    '<%= config.bin %> tail frontier finish --from -7d -e --json > events.jsonl\n<%= config.bin %> <%= command.id %> events.jsonl',
    '<%= config.bin %> source scan orders --dry-run --json > listing.json\n<%= config.bin %> <%= command.id %> --listing listing.json',
    '<%= config.bin %> <%= command.id %> --from 2017-04-01 --to 2017-05-01 --job-duration 2h',
  ];
  static override args = {
    file: Args.string({
      description:
        'A file with the output of hippo tail --json, or - for standard input. [default: the topics]',
    }),
  };
  static override flags = simulateFlags;

  protected async work(): Promise<SimulationReport> {
    const { args, flags } = await this.parse(Simulate);
    const { from, to, config: file, profile, listing: listings = [], announced = [] } = flags;
    if (args.file !== undefined && (from ?? to) !== undefined) {
      throw new UserError('a file is simulated as a whole; --from and --to choose from the topics', {
        next: ['hippo tail frontier finish --from … --to … --json | hippo simulate -'],
      });
    }
    if (listings.length + announced.length > 0 && (from ?? to) !== undefined) {
      throw new UserError(
        'with --listing and --announced the topics are not read; --from and --to choose from the topics',
        {
          next: [
            'hippo tail frontier finish --from … --to … --json > events.jsonl',
            'hippo simulate events.jsonl --listing FILE',
          ],
        },
      );
    }
    const { runSimulation } = await import('../simulate/session.ts');
    return runSimulation({
      file,
      profile,
      source: args.file,
      listings,
      announced,
      from,
      to,
      jobDuration: flags['job-duration'],
      signal: this.stopping,
    });
  }

  protected render(report: SimulationReport): string {
    return renderSimulation(report);
  }
}
