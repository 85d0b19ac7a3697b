import { expect, it } from 'vitest';
import { hasSamples, mergeExpositions } from '../../../../src/client/host/services/exposition.ts';

const OWN = `# HELP up Whether it is up.
# TYPE up gauge
up 1
# HELP seconds How long.
# TYPE seconds histogram
seconds_bucket{le="1"} 2
seconds_bucket{le="+Inf"} 3
seconds_sum 4.5
seconds_count 3
`;

it('adds the label to each sample, and keeps the samples of a metric together', () => {
  const api = `# HELP up Mine.
# TYPE up gauge
up{zone="a b"} 0 1700000000000
# TYPE seconds histogram
seconds_bucket{le="1"} 7
lonely{} 1
told{service="x",path="}\\"{,service="} NaN
`;
  expect(
    mergeExpositions([
      { text: OWN, labels: [], isOwn: true },
      { text: api, labels: [['service', 'api']], isOwn: false },
    ]),
  ).toBe(`# HELP up Whether it is up.
# TYPE up gauge
up 1
up{service="api",zone="a b"} 0 1700000000000
# HELP seconds How long.
# TYPE seconds histogram
seconds_bucket{le="1"} 2
seconds_bucket{le="+Inf"} 3
seconds_sum 4.5
seconds_count 3
seconds_bucket{service="api",le="1"} 7
lonely{service="api"} 1
told{service="api",exported_service="x",path="}\\"{,service="} NaN
`);
});

it('leaves out the page of a service that is no exposition', () => {
  expect(hasSamples('OK\nplease log in {now} 3 4 5\n')).toBe(false);
  expect(hasSamples('# a comment\nup{a="}"} -1.5e-3 1700000000000\n')).toBe(true);
  const page = {
    text: 'OK\nLogin required\nhippo_owner 1\n',
    labels: [['service', 'api'] as const],
    isOwn: false,
  };
  expect(mergeExpositions([{ text: OWN, labels: [], isOwn: true }, page])).toBe(OWN);
});

it('leaves out what is no sample, and metrics without one', () => {
  const text = '<html>\n# TYPE gone gauge\n\n{} 3\n# EOF\r\nhere 2\r\n';
  expect(mergeExpositions([{ text, labels: [], isOwn: true }])).toBe('here 2\n');
  expect(mergeExpositions([])).toBe('');
});
