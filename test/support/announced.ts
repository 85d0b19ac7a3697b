import { partitionPath, parseFrontier } from '../../src/messages/index.ts';
import { type TestProject, kcat } from './project.ts';

/**
 * What another consumer reads on the topic of frontier events: `dt=2017-04-28 @<exec_date>`.
 *
 * @param table only of this one, without its database
 */
export async function announced(project: TestProject, table?: string): Promise<string[]> {
  const lines = await kcat(project, 'frontier-adw');
  return lines.flatMap((line) => {
    const parsed = parseFrontier(line);
    if (!parsed.ok) throw new Error(`${parsed.rejection.reason}: ${line}`);
    if (table !== undefined && parsed.message.table !== table) return [];
    const {
      partitions: [partition = []],
      execDate,
    } = parsed.message;
    return `${partitionPath(partition)} @${execDate}`;
  });
}

/** The partitions alone, in order. */
export function partitionsOf(events: readonly string[]): string[] {
  return events.map((event) => event.split(' ')[0] ?? '').toSorted();
}
