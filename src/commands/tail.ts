import { Args, Flags } from '@oclif/core';
import { systemClock } from '../core/clock.ts';
import { ExitCode } from '../core/errors.ts';
import type { KafkaRecord } from '../kafka/port.ts';
import type { TailSummary } from '../tail/tail.ts';
import { HippoCommand } from '../ui/base-command.ts';

export default class Tail extends HippoCommand<TailSummary> {
  static override summary = 'Show what is on the topics, as it comes or as it was.';
  static override description =
    'TOPIC is a name or what a topic is for: frontier, start, finish, schedule, health, state, dlq. Without one: the hippo topics. ' +
    'Follows until Ctrl-C, unless told where to end. No consumer group is created.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> finish --last 10',
    '<%= config.bin %> <%= command.id %> frontier --from 2017-04-28 --exit-at-end --json > events.jsonl',
  ];
  static override strict = false;
  static override args = {
    topic: Args.string({ description: 'A topic, or what it is for; several may be named.' }),
  };
  static override flags = {
    from: Flags.string({
      description: 'Where to begin: beginning, end, an offset, p:o, a date or time, -2h, @EPOCH, @T1..@T2.',
      helpValue: 'POSITION',
    }),
    last: Flags.integer({
      char: 'n',
      min: 0,
      description: 'Begin with the last N: N in all, merged by time.',
      helpValue: 'N',
      exclusive: ['from'],
    }),
    max: Flags.integer({ min: 0, description: 'End after N.', helpValue: 'N' }),
    'exit-at-end': Flags.boolean({ char: 'e', description: 'End at the end of the topics as it is now.' }),
  };

  protected async work(): Promise<TailSummary> {
    const { argv, flags } = await this.parse(Tail);
    const [{ loadConfig }, { connectProject }, tail, ui] = await Promise.all([
      import('../config/load.ts'),
      import('../kafka/project.ts'),
      import('../tail/index.ts'),
      import('../ui/tail.ts'),
    ]);
    const loaded = await loadConfig({
      file: flags.config,
      profile: flags.profile,
      cwd: process.cwd(),
      env: process.env,
    });
    const words = { ...flags, exitAtEnd: flags['exit-at-end'] };
    const span = await tail.readSpan(words, loaded.config, systemClock);
    const kafka = await connectProject(loaded, process.env);
    try {
      const existing = (await kafka.topics()).map(({ topic }) => topic);
      const topics = tail.selectTopics(loaded.config, existing, { names: argv as string[] });
      const printer = this.json
        ? (record: KafkaRecord): string => `${tail.envelopeLine(record)}\n`
        : ui.prettyPrinter({
            topics,
            kinds: tail.topicKinds(loaded.config),
            timezone: loaded.config.calendar.timezone,
            now: systemClock.now(),
          });
      if (!this.json && process.stderr.isTTY)
        process.stderr.write(`${ui.tailHeading(topics, span.to === null && !words.exitAtEnd)}\n`);
      return await tail.printTail(
        kafka,
        { ...words, topics, span },
        printer,
        undefined,
        process.stdout,
        this.stopping,
      );
    } finally {
      await kafka.close();
    }
  }

  protected render(): string {
    return '';
  }

  protected override toJson(): unknown {
    return null;
  }

  protected override verdict({ stopped }: TailSummary): ExitCode {
    return stopped === 'interrupted' ? ExitCode.interrupted : ExitCode.ok;
  }
}
