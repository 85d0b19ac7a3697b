import { describe, expect, it } from 'vitest';
import type { JobOutcome } from '../../../src/client/machine/index.ts';
import { parseJson } from '../../../src/core/json.ts';
import { HOUR, Hippo, type JobYaml, MINUTE, daily, define } from './hippo.ts';

const [FIRST, SECOND, THIRD] = ['2017-04-26', '2017-04-27', '2017-04-28'] as const;
const JOB: JobYaml = { every: 'day', needs: [daily('a.a')], keep_result: true };
const read = (watermark: string): JobOutcome => ({
  status: 'succeeded',
  result: parseJson(`{"watermark": ${watermark}}`),
});
/** What the newest attempt was given, as the text of the variable. */
const given = (hippo: Hippo): string | undefined => {
  const last = hippo.submissions.at(-1)?.lastResult ?? null;
  return last === null ? undefined : JSON.stringify(last);
};

describe('the result of the last success', () => {
  it('is what the next run begins with, with the digits of its numbers', () => {
    const hippo = new Hippo({ load: JOB });
    hippo.land('a.a', `dt=${FIRST}`);
    expect(given(hippo)).toBeUndefined();
    hippo.exit('load', FIRST, read('9223372036854775807'));
    hippo.land('a.a', `dt=${SECOND}`);
    expect(given(hippo)).toBe('{"watermark":9223372036854775807}');
  });

  it('is there after a takeover, and for each attempt', () => {
    const hippo = new Hippo({ load: { ...JOB, retries: { attempts: 1, backoff: '1m' } } });
    hippo.land('a.a', `dt=${FIRST}`);
    hippo.exit('load', FIRST, read('1'));
    hippo.restart();
    hippo.land('a.a', `dt=${SECOND}`);
    expect(given(hippo)).toBe('{"watermark":1}');
    hippo.fail('load', SECOND);
    hippo.wait(MINUTE);
    hippo.restart();
    expect(hippo.submissions.at(-1)).toMatchObject({ key: SECOND, attempt: 3 });
    expect(given(hippo)).toBe('{"watermark":1}');
  });

  it('is that of the success which finished last, also of an older window', () => {
    const hippo = new Hippo({ load: JOB });
    hippo.land('a.a', `dt=${SECOND}`);
    hippo.exit('load', SECOND, read('2'));
    hippo.wait(HOUR);
    hippo.land('a.a', `dt=${FIRST}`);
    hippo.exit('load', FIRST, read('3'));
    hippo.land('a.a', `dt=${THIRD}`);
    expect(given(hippo)).toBe('{"watermark":3}');
  });

  it('is not changed by a run that fails, has no result or is marked as done', () => {
    const hippo = new Hippo({ load: JOB });
    hippo.land('a.a', `dt=${FIRST}`);
    hippo.exit('load', FIRST, read('1'));
    hippo.land('a.a', `dt=${SECOND}`);
    hippo.fail('load', SECOND);
    hippo.ask('mark_success', 'load', { runKey: SECOND });
    hippo.land('a.a', `dt=${THIRD}`);
    hippo.exit('load', THIRD);
    hippo.wait(HOUR);
    hippo.ask('run', 'load', { runKey: FIRST });
    expect(given(hippo)).toBe('{"watermark":1}');
  });

  it('is not kept of a job that does not ask for it', () => {
    const hippo = new Hippo({ load: { ...JOB, keep_result: false } });
    hippo.land('a.a', `dt=${FIRST}`);
    hippo.exit('load', FIRST, read('1'));
    hippo.land('a.a', `dt=${SECOND}`);
    expect(given(hippo)).toBeUndefined();
    expect([...hippo.records.keys()].filter((key) => key.includes('last-result'))).toEqual([]);
  });

  it('stays while its job is gone from hippo.yaml', () => {
    const hippo = new Hippo({ load: JOB });
    hippo.land('a.a', `dt=${FIRST}`);
    hippo.exit('load', FIRST, read('1'));
    hippo.restart([], define({ other: { every: 'day', needs: [daily('a.a')] } }));
    hippo.restart([], define({ load: JOB }));
    hippo.land('a.a', `dt=${SECOND}`);
    expect(given(hippo)).toBe('{"watermark":1}');
  });
});
