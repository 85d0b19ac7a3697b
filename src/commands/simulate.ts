import { UserError } from '../core/errors.ts';
import type { SimulationReport } from '../simulate/session.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { durationFlag } from '../ui/flags.ts';
import { Args, Flags } from '../ui/oclif.ts';
import { renderSimulation } from '../ui/simulate.ts';

export default class Simulate extends HippoCommand<SimulationReport> {
  static override summary = 'Show which runs recorded events would start and which would wait.';
  static override description =
    "Passes records through the client's own state machine with this project's hippo.yaml, at the records' own times, " +
    'starting with an empty state. It assumes that jobs succeed, starts nothing and writes nothing.';
  static override examples = [
    '<%= config.bin %> tail frontier finish --from -7d -e --json > events.jsonl\n<%= config.bin %> <%= command.id %> events.jsonl',
    '<%= config.bin %> <%= command.id %> --from 2017-04-01 --to 2017-05-01 --job-duration 2h',
  ];
  static override args = {
    file: Args.string({
      description:
        'A file with the output of hippo tail --json, or - for standard input. [default: the topics]',
    }),
  };
  static override flags = {
    from: Flags.string({
      description: 'Start here in the topics: a date or time, -2h, p:o.',
      helpValue: 'POSITION',
    }),
    to: Flags.string({ description: 'End here; takes the same positions as --from.', helpValue: 'POSITION' }),
    'job-duration': durationFlag({ description: 'Assume that each job runs this long.', default: '0s' }),
  };

  protected async work(): Promise<SimulationReport> {
    const { args, flags } = await this.parse(Simulate);
    const { from, to, config: file, profile } = flags;
    if (args.file !== undefined && (from ?? to) !== undefined) {
      throw new UserError('a file is simulated as a whole; --from and --to choose from the topics', {
        next: ['hippo tail frontier finish --from … --to … --json | hippo simulate -'],
      });
    }
    const { runSimulation } = await import('../simulate/session.ts');
    return runSimulation({
      file,
      profile,
      source: args.file,
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
