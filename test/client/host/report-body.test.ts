import { describe, expect, it } from 'vitest';
import { contentOf, idempotencyKey, readReports } from '../../../src/client/host/report-body.ts';
import { parseJson } from '../../../src/core/json.ts';
import { HttpProblem } from '../../../src/http/index.ts';

const ANY = { table: 'shop.orders', levels: null };

/** `422: #/id must be …` */
function refusal(body: string, expected: { table: string; levels: readonly string[] | null } = ANY): string {
  try {
    return JSON.stringify(readReports(parseJson(body), expected));
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    return `${error.status}: ${error.message}`;
  }
}

describe('a report', () => {
  it('has a partition, and may have an id, a time and a method', () => {
    const body =
      '{"partition":{"dt":"2017-04-28","n":5},"id":"a-1","exec_date":"1493337600","method":"append"}';
    expect(readReports(parseJson(body), ANY)).toEqual([
      {
        partition: [
          { name: 'dt', value: '2017-04-28' },
          { name: 'n', value: '5' },
        ],
        id: 'a-1',
        execDate: 1_493_337_600,
        method: 'append',
      },
    ]);
    expect(readReports(parseJson('[{"partition":{},"table":"shop.orders"}]'), ANY)).toEqual([
      { partition: [], id: null, execDate: null, method: null },
    ]);
  });

  it('has its levels in the order of hippo.yaml, which an object of JSON does not promise', () => {
    const levels = ['dt', '2'];
    const [report] = readReports(parseJson('{"partition":{"dt":"a","2":"b"}}'), { ...ANY, levels });
    expect(report?.partition.map(({ name }) => name)).toEqual(levels);
  });

  it.each([
    ['5', '422: # must be an object such as {"partition": {"dt": "2017-04-28"}}'],
    ['[]', '422: the list must have 1 to 100 reports; it has 0'],
    ['[{"partition":{}},null]', '422: #/1 must be an object such as {"partition": {"dt": "2017-04-28"}}'],
    ['{}', '422: #/partition must be an object of level names and values; {} for an unpartitioned table'],
    ['{"partition":{"dt":""}}', '422: #/partition/dt must be a text that is not empty, or a whole number'],
    [
      '{"partition":{"a/b":null}}',
      '422: #/partition/a~1b must be a text that is not empty, or a whole number',
    ],
    ['{"partition":{"dt":1.5}}', '422: #/partition/dt must be a text that is not empty, or a whole number'],
    ['{"partition":{"":"x"}}', '422: #/partition has a level without a name'],
    [
      '{"partition":{},"id":""}',
      '422: #/id must be a text of 1 to 200 printable ASCII characters, without blanks',
    ],
    ['{"partition":{},"exec_date":-1}', '422: #/exec_date must be epoch seconds, such as 1493337600'],
    [
      '{"partition":{},"exec_date":1493337600000}',
      '422: #/exec_date must be epoch seconds, such as 1493337600',
    ],
    [
      '{"partition":{},"method":"a b"}',
      '422: #/method must be a word such as partition or overwrite_partition',
    ],
    [
      '{"partition":{},"patition":{}}',
      '422: #/patition is no key here; allowed: partition, id, exec_date, method, table',
    ],
    ['[{"partition":{},"id":"a"},{"partition":{},"id":"a"}]', '422: two reports have the id a'],
    ['{"partition":{},"table":"shop.sales"}', '403: only landings of shop.orders may be reported here'],
  ])('%s is refused', (body, expected) => {
    expect(refusal(body)).toBe(expected);
  });

  it('is refused with all that is wrong', () => {
    let problem: unknown;
    try {
      readReports(parseJson('{"partition":{"day":"x"},"id":5}'), { ...ANY, levels: ['dt'] });
    } catch (error) {
      problem = parseJson((error as HttpProblem).reply.body.toString());
    }
    expect(problem).toMatchObject({
      errors: [
        { pointer: '#/partition', detail: 'has no dt' },
        { pointer: '#/partition/day', detail: 'is no level of this table; its levels: dt' },
        { pointer: '#/id' },
      ],
    });
  });

  it('is the same one only if it says the same', () => {
    const contents = [
      '{"partition":{"dt":"1"}}',
      '{"partition":{"dt":"2"}}',
      '{"partition":{"dt":"1"},"exec_date":5}',
      '{"partition":{"dt":"1"},"method":"append"}',
    ].map((body) => readReports(parseJson(body), ANY).map(contentOf)[0]);
    expect(new Set(contents).size).toBe(4);
    expect(readReports(parseJson('{"id":"x","partition":{"dt":1}}'), ANY).map(contentOf)[0]).toBe(
      contents[0],
    );
  });
});

it('an Idempotency-Key is quoted or bare', () => {
  expect([undefined, 'a-1', '"a-1"'].map(idempotencyKey)).toEqual([null, 'a-1', 'a-1']);
  for (const key of ['', '""', 'a b', 'x'.repeat(201)]) expect(() => idempotencyKey(key)).toThrow('200');
});
