import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command, Interfaces } from '@oclif/core';
import { Config } from '@oclif/core/config';
import { Help } from '@oclif/core/help';
import { flagsFor } from '../src/ui/question-flags.ts';
import { listTemplates } from '../src/scaffold/template.ts';
import { wrap } from '../src/ui/text.ts';

/** The order of the front page: a heading and its commands or topics. */
const GROUPS: [string, string[]][] = [
  ['START', ['up', 'new', 'run', 'serve', 'down']],
  ['EVENTS', ['trigger', 'tail', 'replay', 'simulate']],
  ['OPERATE', ['doctor', 'tractor', 'job', 'source', 'model', 'alerts', 'forget']],
  ['CONFIGURE', ['config', 'schema']],
];

class StaticHelp extends Help {
  commandPage(command: Command.Loadable): string {
    return `${super.summary(command) ?? ''}\n\n${super.formatCommand(command)}`;
  }

  topicPage(topic: Interfaces.Topic, commands: Command.Loadable[]): string {
    return `${super.formatTopic(topic)}\n\n${super.formatCommands(commands)}`;
  }
}

/**
 * Writes what `hippo --help`, `hippo COMMAND --help` and `hippo TOPIC --help` print as text files: help is answered
 * without loading a command or the framework.
 *
 * @param directory receives `job/run.txt` for a command, `job/_topic.txt` for a topic, `new/batch-etl/_type.txt` for a type of
 *   hippo, and `_topic.txt`: the front page
 * @throws Error when a command is in no group of the front page, or a group names a command that does not exist
 */
export async function writeHelp(root: string, directory: string): Promise<void> {
  const config = await Config.load({ root, ignoreManifest: true });
  const help = new StaticHelp(config, { stripAnsi: true });
  const commands = config.commands.filter((command) => !command.hidden);
  const topics = config.topics.filter((topic) => !topic.hidden);
  const pages = new Map<string, string>([['_topic', frontPage(commands, topics)]]);
  // A copy: oclif's help writes its topic separator into the id.
  for (const command of commands) pages.set(command.id, help.commandPage({ ...command }));
  for (const topic of topics) {
    const members = commands.filter((command) => command.id.startsWith(`${topic.name}:`));
    if (members.length > 0) pages.set(`${topic.name}:_topic`, help.topicPage(topic, members));
  }
  for (const [id, page] of typePages(config, help)) pages.set(id, page);
  for (const [id, page] of pages) {
    const file = join(directory, `${id.replaceAll(':', '/')}.txt`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${page.trim()}\n`);
  }
}

/** `hippo new TYPE --help`: the command with the flags of that type's questions, and its description. */
function typePages(config: Config, help: StaticHelp): [id: string, page: string][] {
  const command = config.findCommand('new', { must: true });
  return listTemplates().map(({ type, description, questions }) => {
    const flags = Object.fromEntries(
      Object.entries(flagsFor(questions)).map(([name, flag]) => [name, { ...flag, name }]),
    );
    const { name } = command.args as Record<'type' | 'name', Command.Arg.Cached>;
    const page = help.commandPage({
      ...command,
      id: `new ${type}`,
      summary: `Create a new ${type} hippo.`,
      description,
      examples: [`<%= config.bin %> new ${type} NAME --yes`, `<%= config.bin %> new ${type} NAME --dry-run`],
      args: { name },
      flags: { ...command.flags, ...(flags as typeof command.flags) },
    });
    return [`new:${type}:_type`, page];
  });
}

function frontPage(commands: Command.Loadable[], topics: Interfaces.Topic[]): string {
  const summaries = new Map([
    ...topics.map((topic) => [topic.name, topic.description ?? ''] as const),
    ...commands.map(({ id, summary }) => [id, summary ?? ''] as const),
  ]);
  const grouped = GROUPS.flatMap(([, ids]) => ids);
  const present = [...summaries.keys()].filter((id) => !id.includes(':'));
  if (grouped.toSorted().join() !== present.toSorted().join())
    throw new Error(
      `scripts/help.ts: GROUPS has ${grouped.join(', ')}; the commands are ${present.join(', ')}`,
    );
  const sections = GROUPS.map(([title, ids]) => {
    const rows = ids.flatMap((id) => wrap(summaries.get(id) ?? '', `  ${id.padEnd(10)}`));
    return `${title}\n${rows.join('\n')}\n\n`;
  });
  return `hippo: small event-driven data-pipeline services on Kafka and Spark

USAGE
  hippo COMMAND [FLAGS]

${sections.join('')}Every command has --help and --json. Exit codes: 0 success, 1 a check, job or
wait has failed, 2 usage or configuration, 3 a service cannot be reached,
4 timed out, 130 interrupted.`;
}
