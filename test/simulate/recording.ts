import type { JsonObject } from '../../src/core/json.ts';

/** Makes records as `hippo tail --json` prints them, with the offsets that they would have. */
export class Recording {
  readonly lines: string[] = [];
  readonly #offsets = new Map<string, number>();

  add(topic: string, partition: number, time: string, value: JsonObject | string): this {
    const id = `${topic}/${partition}`;
    const offset = this.#offsets.get(id) ?? 0;
    this.#offsets.set(id, offset + 1);
    this.lines.push(
      JSON.stringify({
        topic,
        partition,
        offset: String(offset),
        timestamp: Date.parse(time),
        key: null,
        headers: {},
        value: typeof value === 'string' ? value : JSON.stringify(value),
      }),
    );
    return this;
  }

  landing(table: string, levels: Record<string, string>, time: string, partition = 0): this {
    const [db = '', name = ''] = table.split('.');
    return this.add('frontier-adw', partition, time, {
      table: name,
      partition: Object.entries(levels).map(([level, value]) => ({ name: level, value })),
      db,
      method: 'partition',
      exec_date: String(Date.parse(time) / 1000),
    });
  }

  finish(hippo: string, job: string, key: string, time: string, success = true): this {
    const second = Date.parse(time) / 1000;
    return this.add('hippo-finish', 0, time, {
      hippo_name: hippo,
      job_name: job,
      job_id: `${job}_${second}`,
      is_success: success,
      finish_time: second,
      duration_time: 5,
      run_key: key,
    });
  }

  request(message: JsonObject, time: string): this {
    return this.add('hippo-schedule', 0, time, message);
  }
}
