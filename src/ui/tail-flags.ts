import type { TailWords } from '../tail/run.ts';
import { Flags, type Interfaces } from './oclif.ts';

const WHERE = { helpGroup: 'WHERE' };
const WHICH = { helpGroup: 'WHICH' };
const HOW = { helpGroup: 'HOW' };

export const tailFlags = {
  regex: Flags.string({
    ...WHERE,
    description: 'Also read the topics whose names match.',
    helpValue: 'REGEX',
  }),
  partition: Flags.integer({
    ...WHERE,
    multiple: true,
    min: 0,
    description: 'Read only this partition; repeat the flag for more.',
    helpValue: 'N',
  }),
  from: Flags.string({
    ...WHERE,
    description: 'Start here: beginning, end, an offset, p:o, a date or time, -2h, @EPOCH, @T1..@T2.',
    helpValue: 'POSITION',
  }),
  to: Flags.string({
    ...WHERE,
    description: 'End here; takes the same positions as --from.',
    helpValue: 'POSITION',
  }),
  last: Flags.integer({
    ...WHERE,
    char: 'n',
    min: 0,
    description: 'Start with the last N records, over all partitions, merged by time.',
    helpValue: 'N',
    exclusive: ['from'],
  }),
  max: Flags.integer({ ...WHERE, min: 0, description: 'End after N records.', helpValue: 'N' }),
  'exit-at-end': Flags.boolean({
    ...WHERE,
    char: 'e',
    description: 'End at the present end of the topics.',
  }),
  key: Flags.string({ ...WHICH, description: 'Print only records with this key.', helpValue: 'KEY' }),
  grep: Flags.string({
    ...WHICH,
    description: 'Print only records whose value or key matches.',
    helpValue: 'REGEX',
  }),
  'ignore-case': Flags.boolean({
    ...WHICH,
    char: 'i',
    description: 'Ignore case in --grep.',
    dependsOn: ['grep'],
  }),
  filter: Flags.string({
    ...WHICH,
    description: `Print only records for which this CEL expression (https://cel.dev) is true: 'value.table == "party" && partition == 0'.`,
    helpValue: 'EXPRESSION',
  }),
  raw: Flags.boolean({
    ...HOW,
    description: 'Print each value unchanged, with a newline after it.',
    exclusive: ['json'],
  }),
  format: Flags.string({
    ...HOW,
    description:
      "Print fields by name, {time} {key} {value.table}, and kcat's tokens, %t %p %o %k %s %T %h, with \\n and \\t.",
    helpValue: 'TEXT',
    exclusive: ['raw', 'json'],
  }),
  count: Flags.boolean({
    ...HOW,
    description: 'Print only the number of records.',
    exclusive: ['raw', 'format'],
  }),
  stats: Flags.boolean({
    ...HOW,
    description: 'Print only numbers and rates, for each topic, table and hippo.',
    exclusive: ['raw', 'format', 'count'],
  }),
  follow: Flags.boolean({ ...HOW, description: 'With --count or --stats: continue until Ctrl-C.' }),
};

type TailFlags = Interfaces.InferredFlags<typeof tailFlags> & { json: boolean };

/** The flags by the names that `src/tail` gives them. */
export function tailWords(flags: TailFlags): TailWords {
  return {
    ...flags,
    partitions: flags.partition,
    exitAtEnd: flags['exit-at-end'],
    ignoreCase: flags['ignore-case'],
  };
}
