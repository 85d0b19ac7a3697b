import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command, Config, Interfaces } from '@oclif/core';
import { Help } from '@oclif/core/help';
import { wrap } from '../src/ui/text.ts';

/** The order of the front page: a heading and its commands or topics. */
const GROUPS: [string, string[]][] = [
  ['START', ['up', 'new', 'run', 'down']],
  ['EVENTS', ['trigger', 'tail', 'replay', 'simulate']],
  ['OPERATE', ['doctor', 'tractor', 'job', 'forget']],
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
 * @param directory receives `index.txt` and a file for each command and topic
 * @throws Error when a command is on no group of the front page
 */
export async function writeHelp(config: Config, directory: string): Promise<void> {
  const help = new StaticHelp(config, { stripAnsi: true });
  const commands = config.commands.filter((command) => !command.hidden);
  const topics = config.topics.filter((topic) => !topic.hidden);
  const pages = new Map<string, string>([['index', frontPage(commands, topics)]]);
  // A copy: oclif's help writes its topic separator into the id.
  for (const command of commands) pages.set(command.id, help.commandPage({ ...command }));
  for (const topic of topics) {
    const members = commands.filter((command) => command.id.startsWith(`${topic.name}:`));
    if (!pages.has(topic.name)) pages.set(topic.name, help.topicPage(topic, members));
  }
  for (const [id, page] of pages) {
    const file = join(directory, `${id.replaceAll(':', '/')}.txt`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${page.trim()}\n`);
  }
}

function frontPage(commands: Command.Loadable[], topics: Interfaces.Topic[]): string {
  const summaries = new Map([
    ...topics.map((topic) => [topic.name, topic.description ?? ''] as const),
    ...commands.map(({ id, summary }) => [id, summary ?? ''] as const),
  ]);
  const grouped = new Set(GROUPS.flatMap(([, ids]) => ids));
  const missing = [...summaries.keys()].filter((id) => !id.includes(':') && !grouped.has(id));
  if (missing.length > 0) throw new Error(`scripts/help.ts: in no group: ${missing.join(', ')}`);
  const sections = GROUPS.map(([title, ids]) => {
    const rows = ids
      .filter((id) => summaries.has(id))
      .flatMap((id) => wrap(summaries.get(id) ?? '', `  ${id.padEnd(10)}`));
    return rows.length === 0 ? '' : `${title}\n${rows.join('\n')}\n\n`;
  });
  return `hippo: small event-driven data-pipeline services on Kafka and Spark

USAGE
  hippo COMMAND [FLAGS]

${sections.join('')}Every command has --help and --json. Exit codes: 0 success, 1 a check, job or
wait has failed, 2 usage or configuration, 3 a service cannot be reached,
4 timed out, 130 interrupted.`;
}
