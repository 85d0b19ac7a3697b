import type { NewProject } from '../scaffold/new-project.ts';
import { listTemplates } from '../scaffold/template.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { askOnTerminal, canAsk, renderNewProject } from '../ui/new.ts';
import { Args, Flags } from '../ui/oclif.ts';
import { answersOf, flagsFor } from '../ui/question-flags.ts';

const templates = listTemplates();
const questions = templates.flatMap((template) => template.questions);

export default class New extends HippoCommand<NewProject> {
  static override summary = 'Create a new hippo: a client, a Spark job, tests and sample data.';
  static override description = [
    'On a terminal it asks for each answer that the flags do not give. The types:',
    ...templates.map(({ type, description }) => `${type}: ${description}`),
  ].join('\n');
  static override examples = [
    '<%= config.bin %> <%= command.id %> batch-etl flights --table nyc.flights --every month',
    '<%= config.bin %> <%= command.id %> batch-etl sales --table shop.sales --partition d=%Y%m%d,region=us',
    '<%= config.bin %> <%= command.id %> batch-etl flights --table nyc.flights --dry-run',
  ];
  static override args = {
    type: Args.string({
      description: `The type of hippo: ${templates.map(({ type }) => type).join(', ')}.`,
    }),
    name: Args.string({ description: "The hippo's name." }),
  };
  static override flags = {
    directory: Flags.string({
      char: 'd',
      description: 'Write the project to this folder. [default: ./NAME]',
      helpValue: 'DIR',
    }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask; take the defaults.' }),
    force: Flags.boolean({ description: 'Create it also inside another project.' }),
    'dry-run': Flags.boolean({ description: 'List the files and write nothing.' }),
    ...flagsFor(questions),
  };

  protected async work(): Promise<NewProject> {
    const { args, flags } = await this.parse(New);
    const { newProject } = await import('../scaffold/new-project.ts');
    return newProject({
      ...args,
      directory: flags.directory,
      given: answersOf(questions, flags),
      ask: canAsk() && !flags.yes && !this.json ? askOnTerminal : null,
      force: flags.force,
      dryRun: flags['dry-run'],
    });
  }

  protected render(result: NewProject): string {
    return renderNewProject(result);
  }
}
