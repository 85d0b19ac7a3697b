import { describe, expect, it } from 'vitest';
import { Hippo, type JobYaml, MINUTE, notices, daily } from './hippo.ts';

const KEY = '2017-04-28';
const PARTITION = `dt=${KEY}`;
const hippoWith = (policy: JobYaml['on_reland'], more: Partial<JobYaml> = {}): Hippo =>
  new Hippo({ load: { every: 'day', needs: [daily('a.a'), daily('a.b')], on_reland: policy, ...more } });

function fired(policy: JobYaml['on_reland'], more: Partial<JobYaml> = {}): Hippo {
  const hippo = hippoWith(policy, more);
  hippo.land('a.a', PARTITION, 100);
  hippo.land('a.b', PARTITION, 100);
  return hippo;
}
const offsets = (hippo: Hippo): (string[] | undefined)[] =>
  hippo.starts.map(({ receiveMsgs }) => receiveMsgs?.map(({ offset }) => offset));

describe('rerun: what lands again is processed again', () => {
  it.each([
    ['succeeded', (hippo: Hippo) => hippo.exit('load', KEY)],
    ['failed', (hippo: Hippo) => hippo.fail('load', KEY)],
    ['was vetoed', (hippo: Hippo) => hippo.exit('load', KEY, { status: 'vetoed', reason: 'no' })],
  ])('after the run has %s', (_, end) => {
    const hippo = fired('rerun');
    end(hippo);
    hippo.land('a.a', PARTITION, 101);
    expect(hippo.statuses).toEqual({ [`load ${KEY}`]: 'running' });
    expect(offsets(hippo)).toEqual([
      ['1', '2'],
      ['3', '2'],
    ]);
    expect(hippo.run('load', KEY)).toMatchObject({ attempt: 1, failures: 0, relanded: {} });
    hippo.exit('load', KEY);
    expect(hippo.finishes).toHaveLength(2);
  });

  it('while it runs: after its end, once, with the newest', () => {
    const hippo = fired('rerun');
    hippo.land('a.a', PARTITION, 101);
    hippo.land('a.b', PARTITION, 101);
    hippo.land('a.a', PARTITION, 102);
    expect(hippo.fired).toHaveLength(1);
    expect(Object.keys(hippo.run('load', KEY).relanded)).toEqual(['a.a', 'a.b']);
    hippo.exit('load', KEY);
    expect(offsets(hippo)).toEqual([
      ['1', '2'],
      ['5', '4'],
    ]);
    expect(hippo.finishes[0]?.receiveMsgs?.map(({ offset }) => offset)).toEqual(['1', '2']);
    hippo.exit('load', KEY);
    expect(hippo.fired).toHaveLength(2);
  });

  it('between two attempts: the firing goes on, and another follows', () => {
    const hippo = fired('rerun', { retries: { attempts: 1, backoff: '30s' } });
    hippo.fail('load', KEY);
    hippo.land('a.a', PARTITION, 101);
    expect(hippo.submissions).toHaveLength(1);
    hippo.wait(MINUTE);
    hippo.exit('load', KEY);
    expect(offsets(hippo)).toEqual([
      ['1', '2'],
      ['3', '2'],
    ]);
    expect(hippo.finishes).toHaveLength(1);
  });

  it('over a change of owner', () => {
    const hippo = fired('rerun');
    hippo.land('a.a', PARTITION, 101);
    hippo.restart();
    hippo.exit('load', KEY);
    expect(offsets(hippo)).toEqual([
      ['1', '2'],
      ['3', '2'],
    ]);
  });

  it('but what was not needed for the run, and lands for the first time, is no news', () => {
    const hippo = new Hippo({ load: { every: 'day', needs: [{ any_of: [daily('a.a'), daily('a.b')] }] } });
    hippo.land('a.a', PARTITION);
    hippo.land('a.b', PARTITION);
    hippo.exit('load', KEY);
    expect(hippo.fired).toHaveLength(1);
  });

  it('what was missing when it was run by hand is news', () => {
    const hippo = hippoWith('rerun');
    hippo.land('a.a', PARTITION, 100);
    hippo.ask('run', 'load', { runKey: KEY });
    hippo.exit('load', KEY);
    hippo.land('a.b', PARTITION, 100);
    expect(hippo.starts.map(({ receiveMsgs }) => receiveMsgs?.map(({ need }) => need))).toEqual([
      ['a.a', undefined],
      ['a.a', 'a.b'],
    ]);
  });

  it('an incomplete run that was run by hand is not run again by what lands again: it is still incomplete', () => {
    const hippo = hippoWith('rerun');
    hippo.land('a.a', PARTITION, 100);
    hippo.ask('run', 'load', { runKey: KEY });
    hippo.land('a.a', PARTITION, 101);
    hippo.exit('load', KEY);
    hippo.land('a.a', PARTITION, 102);
    expect(hippo.fired).toHaveLength(1);
    expect(hippo.statuses).toEqual({ [`load ${KEY}`]: 'succeeded' });
  });

  it('a firing that has not begun ends without a finish of its own', () => {
    const hippo = fired('rerun');
    hippo.exit('load', KEY);
    hippo.ask('pause', 'load');
    hippo.land('a.a', PARTITION, 101);
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'ready', attempt: 0 });
    hippo.ask('cancel', 'load', { runKey: KEY });
    expect(hippo.statuses).toEqual({ [`load ${KEY}`]: 'cancelled' });
    expect(hippo.finishes).toHaveLength(1);
  });
});

describe('hold: it waits for a person', () => {
  const HELD = `load ${KEY} is held until an operator decides: a.a landed again after the run. To run it again: hippo job run etl/load --key ${KEY}. To accept it as it is: hippo job mark-success etl/load --key ${KEY}`;

  it('after the end', () => {
    const hippo = fired('hold');
    hippo.exit('load', KEY);
    expect(notices(hippo.land('a.a', PARTITION, 101))).toEqual([`warning: ${HELD}`]);
    expect(hippo.run('load', KEY)).toMatchObject({
      status: 'succeeded',
      held: 'a.a landed again after the run',
      relanded: { 'a.a': { version: 101 } },
    });
    expect(hippo.fired).toHaveLength(1);
  });

  it('while it runs', () => {
    const hippo = fired('hold');
    expect(notices(hippo.land('a.a', PARTITION, 101))).toEqual([]);
    expect(notices(hippo.exit('load', KEY))).toEqual([`warning: ${HELD}`]);
    hippo.restart();
    expect(hippo.fired).toHaveLength(1);
  });

  it('until it is run by hand, with what is there', () => {
    const hippo = fired('hold');
    hippo.exit('load', KEY);
    hippo.land('a.a', PARTITION, 101);
    hippo.ask('run', 'load', { runKey: KEY });
    expect(offsets(hippo)).toEqual([
      ['1', '2'],
      ['3', '2', '4'],
    ]);
    expect(hippo.run('load', KEY)).toMatchObject({ relanded: {} });
    expect(hippo.run('load', KEY)).not.toHaveProperty('held');
  });

  it('until it is accepted as it is, without a further finish message', () => {
    const hippo = fired('hold');
    hippo.exit('load', KEY);
    hippo.land('a.a', PARTITION, 101);
    expect(notices(hippo.ask('mark_success', 'load', { runKey: KEY }))).toEqual([]);
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'succeeded', relanded: {} });
    expect(hippo.run('load', KEY)).not.toHaveProperty('held');
    expect([hippo.fired, hippo.finishes]).toEqual([[expect.anything()], [expect.anything()]]);
  });
});

describe('ignore', () => {
  it('while it runs and after its end', () => {
    const hippo = fired('ignore');
    const said = [notices(hippo.land('a.a', PARTITION, 101))];
    hippo.exit('load', KEY);
    said.push(notices(hippo.land('a.b', PARTITION, 102)));
    expect(said.flat().map((text) => text.replace(/^.*?\): /, ''))).toEqual([
      `it landed again while run ${KEY} was running, and load has on_reland: ignore`,
      `it landed again after run ${KEY} had ended (succeeded), and load has on_reland: ignore`,
    ]);
    expect(hippo.fired).toHaveLength(1);
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'succeeded', relanded: {} });
  });

  it('before it has fired the newest is taken all the same', () => {
    const hippo = hippoWith('ignore');
    hippo.land('a.a', PARTITION, 100);
    hippo.land('a.a', PARTITION, 101);
    hippo.land('a.b', PARTITION, 100);
    expect(offsets(hippo)).toEqual([['2', '3']]);
  });
});
