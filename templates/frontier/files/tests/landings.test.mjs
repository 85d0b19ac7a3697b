[% if scanned == 'yes' -%]
/**
 * Passes recorded listings through the client's own state machine (`hippo simulate`), and compares what would be announced. It
 * needs no Kafka, and asks none of the places. Record a listing of your own:
 *
 *   hippo source scan [= base =][% if source.size > 1 %]-[= source[0] =][% endif %] --dry-run --json > tests/mine.listing.json
 */
[%- else -%]
/** Checks the form of the events. It needs no Kafka. */
[%- endif %]
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
[%- if scanned == 'yes' %]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
[%- endif %]
import { join } from 'node:path';
import { [% if scanned == 'yes' %]after, [% endif %]test } from 'node:test';
[%- if scanned == 'yes' %]

const FOLDER = mkdtempSync(join(tmpdir(), 'landings-'));
after(() => rmSync(FOLDER, { recursive: true }));
[%- endif %]

/** Runs hippo in the project, and reads what it prints as JSON. */
function hippo(...args) {
  const cwd = join(import.meta.dirname, '..');
  return JSON.parse(execFileSync(process.env.HIPPO ?? 'hippo', [...args, '--json'], { cwd, encoding: 'utf8' }));
}
[%- if scanned == 'yes' %]

/** The file of a recorded listing, as one of this source. */
function listing(file, source) {
  const recorded = JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8'));
  const copy = join(FOLDER, file);
  writeFileSync(copy, JSON.stringify({ ...recorded, source: { name: source } }));
  return copy;
}

function announced(source, ...files) {
  const listings = files.flatMap((file) => ['--listing', listing(file, source)]);
  return hippo('simulate', ...listings).announced.map(({ table, partition, exec_date, relanded }) => ({
    table,
    partition,
    time: new Date(exec_date * 1000).toISOString(),
    relanded,
  }));
}
[%- endif %]

const TABLE = '[= table =]';
[%- if scanned == 'yes' %]
const PARTITION = '[= sample_path =]';
const SOURCES = [[% assign comma = '' %][% for kind in source %][% if kind != 'http' %][= comma =]'[= base =][% if source.size > 1 %]-[= kind =][% endif %]'[% assign comma = ', ' %][% endif %][% endfor %]];

for (const source of SOURCES) {
  test(`${source}: a landing is announced once, at its own time`, () => {
    // Until the next listing, the source lists the same again and again.
    assert.deepEqual(announced(source, 'first.listing.json'), [
      { table: TABLE, partition: PARTITION, time: '2024-01-02T03:00:00.000Z', relanded: false },
    ]);
  });

  test(`${source}: it is announced again when it has landed again`, () => {
    const [first, ...more] = announced(source, 'first.listing.json', 'second.listing.json');
    assert.equal(first.relanded, false);
    assert.deepEqual(more, [
      { table: TABLE, partition: PARTITION, time: '2024-01-02T09:00:00.000Z', relanded: true },
    ]);
  });
}
[%- endif %]

test('an event has the form that the other programs read', () => {
  const event = JSON.parse(hippo('trigger', '--dry-run').value);
[%- case dialect %]
[%- when 'pairs' %]
  assert.deepEqual(event.partition, [
  [%- if partition.size == 0 %]{ name: '', value: '' }[% endif %]
  [%- for level in partition %]{ name: '[= level.name =]', value: '[= level.sample =]' }[% unless forloop.last %], [% endunless %][% endfor %]]);
  assert.equal(typeof event.exec_date, 'string');
[%- when 'arrays' %]
  assert.deepEqual(event.partition_fields, [[% for level in partition %]'[= level.name =]'[% unless forloop.last %], [% endunless %][% endfor %]]);
  assert.deepEqual(event.partition_values, [[% for level in partition %]'[= level.sample =]'[% unless forloop.last %], [% endunless %][% endfor %]]);
  assert.equal(typeof event.exec_date, 'number');
[%- when 'scalars' %]
  assert.equal(event.partition_fields, '[% for level in partition %][= level.name =][% unless forloop.last %]/[% endunless %][% endfor %]');
  assert.equal(event.partition_values, '[% for level in partition %][= level.sample =][% unless forloop.last %]/[% endunless %][% endfor %]');
  assert.equal(typeof event.timestamp, 'number');
[%- when 'legacy' %]
  assert.deepEqual(event.partitions, [[% if partition.size > 0 %]'[% for level in partition %][= level.sample =][% unless forloop.last %]/[% endunless %][% endfor %]'[% endif %]]);
  assert.match(event.exec_date, /^\d{4}\/\d\d\/\d\dT/);
[%- endcase %]
  assert.equal(`${event.db}.${event.table}`, TABLE);
});
