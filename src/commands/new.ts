import type { TypeList } from '../scaffold/list.ts';
import type { NewProject } from '../scaffold/new-project.ts';
import { listTemplates } from '../scaffold/template.ts';
import { HippoCommand } from '../ui/base-command.ts';
import { askOnTerminal, canAsk, renderNew, sayTaken } from '../ui/new.ts';
import { Args, Flags } from '../ui/oclif.ts';
import { answersOf, flagsFor, typeWord } from '../ui/question-flags.ts';

export default class New extends HippoCommand<NewProject | TypeList> {
  static override summary = 'Create a new hippo: a project that runs, with tests and sample data.';
  static override description =
    'On a terminal it asks for each answer that the flags do not give. Each type has flags of its own: hippo new TYPE --help.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --list',
    '<%= config.bin %> <%= command.id %> batch-etl flights --yes',
    '<%= config.bin %> <%= command.id %> batch-etl flights --table nyc.flights --every month',
  ];
  static override args = {
    type: Args.string({ description: 'The type of hippo; --list shows all.' }),
    name: Args.string({ description: "The hippo's name." }),
  };
  static override flags = {
    list: Flags.boolean({ description: 'Show the types of hippos, each at its place in the flow.' }),
    directory: Flags.string({
      char: 'd',
      description: 'Write the project to this folder. [default: ./NAME]',
      helpValue: 'DIR',
    }),
    yes: Flags.boolean({
      char: 'y',
      description: "Do not ask; take the sample's answers for what the flags do not give.",
    }),
    force: Flags.boolean({ description: 'Create it also inside another project.' }),
    'dry-run': Flags.boolean({ description: 'List the files and write nothing.' }),
  };

  protected async work(): Promise<NewProject | TypeList> {
    const template = listTemplates().find(({ type }) => type === typeWord(this.argv));
    const questions = template?.questions ?? [];
    const { args, flags } = await this.parse(
      { args: New.args, baseFlags: New.baseFlags, flags: { ...New.flags, ...flagsFor(questions) } },
      template && `new ${template.type}`,
    );
    if (flags.list) return (await import('../scaffold/list.ts')).listTypes();
    const { newProject } = await import('../scaffold/new-project.ts');
    const project = await newProject({
      ...args,
      directory: flags.directory,
      given: answersOf(questions, flags),
      from: flags.yes ? 'sample' : canAsk() && !this.json ? { ask: askOnTerminal } : 'defaults',
      force: flags.force,
      dryRun: flags['dry-run'],
    });
    if (flags.yes) sayTaken(project);
    return project;
  }

  protected render(result: NewProject | TypeList): string {
    return renderNew(result);
  }
}
