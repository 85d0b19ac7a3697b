/** A project of the type stream-etl: scaffolded, started, fed, killed; DuckDB and kcat read what it has written. */
import { describe, expect, vi } from 'vitest';
import { parsePlainJson } from '../../src/core/json.ts';
import { announced, partitionsOf } from '../support/announced.ts';
import { type TestProject, httpGet, kcat, test, until } from '../support/project.ts';
import { archived, twice } from '../support/stream-etl.ts';
import { PATIENCE, eventsOf, hoursOf, landed, pidOf, streamFixture } from '../support/stream-fixture.ts';

vi.setConfig({ testTimeout: PATIENCE });

describe('a stream-etl project', () => {
  test('archives each record once and announces each hour once, over kill -9 of Spark and of the client', async ({
    makeProject,
  }) => {
    const { project, stream, client, send } = await streamFixture(makeProject);
    const first = client();
    await send(...eventsOf('09', 300), ...eventsOf('10', 300), 'not an event', ...eventsOf('11', 300));
    await landed(project, 2);

    process.kill(await pidOf(first, 'archive'), 'SIGKILL');
    await send(...eventsOf('11', 100, 'more'), ...eventsOf('12', 100));
    await landed(project, 4);
    first.kill('SIGKILL');
    await first.ended;
    // Late for nine o'clock, which has landed.
    await send(...eventsOf('09', 50, 'late'));
    const second = client();
    await landed(project, 5);

    const sent = [
      ...[...eventsOf('09', 300), ...eventsOf('10', 300), ...eventsOf('11', 300)],
      ...[...eventsOf('11', 100, 'more'), ...eventsOf('12', 100), ...eventsOf('09', 50, 'late')],
    ];
    const found = await archived(stream);
    expect(found.map(({ id }) => id).toSorted()).toEqual(sent.map(({ id }) => id).toSorted());
    expect(twice(found.map(({ record }) => record))).toEqual([]);
    const byHour = Map.groupBy(found, ({ partition }) => partition);
    expect([...byHour].map(([hour, rows]) => [hour, rows.length]).toSorted()).toEqual([
      ['dt=2024-03-01/hour=09', 350],
      ['dt=2024-03-01/hour=10', 300],
      ['dt=2024-03-01/hour=11', 400],
      ['dt=2024-03-01/hour=12', 100],
    ]);
    // A file for each landing, however many batches there were.
    expect(new Set(found.map(({ file }) => file)).size).toBe(5);
    expect(partitionsOf(await announced(project))).toEqual(hoursOf('09', '09', '10', '11', '12'));

    const letters = await project.hippo(['replay', '--dry-run', '--json', stream.topic], {
      cwd: stream.folder,
    });
    expect(parsePlainJson(letters.stdout)).toMatchObject({
      letters: [
        { status: 'ready', reason: 'is not a JSON object', excerpt: 'not an event', hippos: ['clicks'] },
      ],
    });
    // The last total of each key, as a compacted topic keeps it.
    await until(
      async () => (await totals(project)) === 1100,
      'all events but the late ones are counted',
      PATIENCE,
    );
    // It comes back as it was, is rejected once more, and nothing is unread: not its transaction's marker either.
    await project.hippo(['replay', stream.topic, '--yes'], { cwd: stream.folder });
    await until(
      async () => (await kcat(project, 'events.dlq')).length === 2,
      'it is rejected again',
      PATIENCE,
    );
    const lags = async (): Promise<string[]> => {
      const { text } = await httpGet(second, '/metrics');
      return [...text.matchAll(/^stream_lag_records\{(.*)\} (\d+)$/gm)].map(([, , lag = '']) => lag);
    };
    const isRead = async (): Promise<boolean> => (await lags()).join() === '0,0,0,0,0,0';
    await until(isRead, 'both queries have read all three partitions', PATIENCE);
    expect((await httpGet(second, '/metrics')).text).toMatch(
      /^stream_kafka_up\{service="aggregate",hippo="clicks"\} 1$/m,
    );
  });

  test('sends what comes for a landed hour to the quarantine topic, where it is to', async ({
    makeProject,
  }) => {
    const { project, stream, client, send } = await streamFixture(makeProject, { late: 'quarantine' });
    await project.hippo(['job', 'pause', 'aggregate'], { cwd: stream.folder });
    client();
    await send(...eventsOf('09', 10), ...eventsOf('10', 20));
    await landed(project, 2);
    await send(...eventsOf('09', 5, 'late'), ...eventsOf('11', 5));
    await landed(project, 3);
    expect((await archived(stream)).filter(({ id }) => id.startsWith('late'))).toEqual([]);
    const letters = await project.hippo(['replay', '--dry-run', '--json', stream.topic], {
      cwd: stream.folder,
    });
    const { letters: found } = parsePlainJson(letters.stdout) as {
      letters: { reason: string; field: string }[];
    };
    expect(found.map(({ field, reason }) => `${field} ${reason}`)).toEqual(
      Array.from({ length: 5 }, () => 'event_time is late: the hour 2024-03-01T09 has landed'),
    );
  });
});

async function totals(project: TestProject): Promise<number> {
  const last = new Map<string, number>();
  for (const line of await kcat(project, 'events.totals')) {
    const {
      hour,
      kind,
      events: count,
    } = parsePlainJson(line) as { hour: string; kind: string; events: number };
    last.set(`${hour}/${kind}`, count);
  }
  return [...last.values()].reduce((sum, count) => sum + count, 0);
}
