import { describe, expect, it } from 'vitest';
import {
  type ArgumentContext,
  WindowDate,
  compileArgument,
  compilePieces,
  renderPieces,
} from '../../src/windows/template.ts';
import { unitsOf } from '../../src/windows/units.ts';

const DATE = Date.UTC(2017, 3, 28);
/** 28 April 2017 is a Friday, and the Monday after it a holiday. */
const UNITS = unitsOf({ holidays: ['2017-05-01'] });
const context: ArgumentContext = {
  hippo: 'etl',
  job: 'load',
  key: '2017-04-28',
  window: WindowDate.of({ date: DATE, key: '2017-04-28' }, UNITS),
  partition: { yyyymm: '201704', region: 'us' },
  needs: { 'btd.party': { yyyymm: '201704' } },
};

function render(source: string, more: Partial<ArgumentContext> = {}): string {
  const compiled = compileArgument(source, { windowed: true });
  if (!compiled.ok) throw new Error(compiled.message);
  const text = compiled.value.render({ ...context, ...more });
  if (!text.ok) throw new Error(text.message);
  return text.value;
}

describe('an argument', () => {
  it.each([
    ['--table', '--table'],
    ['{{ hippo }}/{{ job }}', 'etl/load'],
    ['{{ key }}', '2017-04-28'],
    ['{{ window }}', '2017-04-28'],
    ["{{ window | date: '%Y%m%d' }}", '20170428'],
    ["{{ window | minus: '1 month' | date: '%Y%m' }}", '201703'],
    ["{{ window | minus: '1 month' | plus: '2d' | date: '%F' }}", '2017-03-30'],
    ['{{ partition.region }}', 'us'],
    ['yyyymm={{ partition.yyyymm }}', 'yyyymm=201704'],
    ["{{ needs['btd.party'].yyyymm }}", '201704'],
    ['{{ partition.region | upcase }}', 'US'],
    ['{{ partition.yyyymm | slice: 0, 4 | plus: 1 }}', '2018'],
    ['{% if partition.region == "us" %}west{% else %}east{% endif %}', 'west'],
    ['a b; $(rm -rf /)', 'a b; $(rm -rf /)'],
  ])('%s becomes %s', (source, text) => {
    expect(render(source)).toBe(text);
  });

  it.each([
    ['{{ windw }}', /unknown name "windw"/],
    ["{{ window | dat: '%Y' }}", /undefined filter: dat/],
    ["{{ window | date: '%Q' }}", /unknown directive %Q in '%Q'/],
    ['{{ window | date }}', /date needs a pattern/],
    ["{{ key | date: '%Y' }}", /date formats the window only/],
    ["{{ window | minus: 'soon' | date: '%Y' }}", /minus does not know "soon"/],
    ["{{ window | minus: '1d' }}", /a shifted window must be formatted with date/],
    ['{{ partition.nowhere }}', /nowhere/],
    ['{{ partition.constructor }}', /constructor/],
    ['{{ partition.yyyymm', /output "{{ partition.yyyymm" not closed/],
    ["{% include 'x' %}", /ENOENT|Failed to lookup/],
    ['{{ "a,b" | split: "," | sample }}', /left to chance/],
  ])('%s is refused', (source, why) => {
    expect(() => render(source)).toThrow(why);
  });

  it('of a job without windows knows none', () => {
    expect(compileArgument('{{ window }}', { windowed: false })).toEqual({
      ok: false,
      message: 'unknown name "window"',
      allowed: '{{ hippo }}, {{ job }}, {{ key }}, {{ partition }}, {{ needs }}',
    });
  });

  it('that is a value does not become an option', () => {
    expect(() => render('{{ partition.region }}', { partition: { region: '--conf=x' } })).toThrow(
      '"{{ partition.region }}" became "--conf=x": a value may not turn into an option',
    );
    expect(render('--region={{ partition.region }}', { partition: { region: '--x' } })).toBe('--region=--x');
  });
});

describe('the template of a partition', () => {
  const pieces = (source: string, names: Record<string, string> = {}): ReturnType<typeof compilePieces> =>
    compilePieces(source, names, '%Y-%m-%d');
  const rendered = (source: string, names: Record<string, string> = {}): string => {
    const compiled = pieces(source, names);
    return compiled.ok ? renderPieces(compiled.value, DATE, UNITS) : compiled.message;
  };

  it.each([
    ['us', 'us'],
    ['{{ window }}', '2017-04-28'],
    ["d{{ window | date: '%Y%m%d' }}x", 'd20170428x'],
    ["{{ window | minus: '2 days' | date: '%Y%m%d' }}", '20170426'],
    ["{{ window | plus: '1 business day' | date: '%Y%m%d' }}", '20170502'],
    ["{{ window | minus: '5 business days' | date: '%Y%m%d' }}", '20170421'],
    ["{{ window | minus: '1 quarter' | date: '%Y-Q%q' }}", '2017-Q1'],
    ["{{ window | date: '%Y' }}-{{ window | minus: '1 month' | date: '%m' }}", '2017-03'],
  ])('%s: %s', (source, text) => {
    expect(rendered(source)).toBe(text);
  });

  it('knows the names of each', () => {
    expect(rendered('{{ region }}-{{ window }}', { region: 'us' })).toBe('us-2017-04-28');
    expect(rendered('{{ region | upcase }}', { region: 'us' })).toBe('US');
  });

  it.each([
    ['{{ region }}', 'unknown name "region"'],
    ['{{ partition.region }}', 'unknown name "partition"'],
    ['{% if true %}a{% endif %}', 'tags ({% … %}) cannot be used here'],
    ["{{ window | date: '%Y%m' | upcase }}", 'a formatted date cannot be changed further'],
    ["{{ window | date: '%Y%m' | slice: 0, 2 }}", 'a formatted date cannot be changed further'],
    ["{{ window | date: '%Y%m' | size }}", 'each date must appear in the text'],
  ])('%s is refused: %s', (source, message) => {
    expect(pieces(source)).toMatchObject({ ok: false, message });
  });
});
