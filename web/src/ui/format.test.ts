import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvOf } from './csv.ts';
import * as format from './format.ts';

const THIN = '\u202f';

test('numbers have three significant digits, grouped thousands and a true minus', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0'],
    [0.7, '0.700'],
    [0.74249, '0.742'],
    [12.345, '12.3'],
    [123.45, '123'],
    [9.999, '10.0'],
    [-0.0123, '−0.0123'],
    [1_409, `1${THIN}409`],
    [12_345.6, `12${THIN}346`],
    [0.000_01, '1.00 × 10⁻⁵'],
    [3e9, '3.00 × 10⁹'],
  ];
  for (const [value, text] of cases) assert.equal(format.number(value), text);
});

test('what is missing is a dash, and what is no number says so; neither is ever 0', () => {
  const all = [format.number, format.count, format.bytes, format.percent, format.duration, format.signed] as const;
  for (const each of all) {
    assert.equal(each(null), '—');
    assert.equal(each(undefined), '—');
    assert.match(each(Number.NaN), /^NaN/);
  }
  assert.equal(format.number(Number.NEGATIVE_INFINITY), '−∞');
  assert.equal(format.pValue(null), '—');
  assert.equal(format.pValue(Number.NaN), 'NaN');
});

test('counts and sizes carry SI prefixes after a thin space, and never 1000 of one', () => {
  assert.equal(format.count(9_999), `9${THIN}999`);
  assert.equal(format.count(12_400), `12.4${THIN}k`);
  assert.equal(format.count(2_660_000), `2.66${THIN}M`);
  assert.equal(format.bytes(0), `0${THIN}B`);
  assert.equal(format.bytes(999_999), `1.00${THIN}MB`);
  assert.equal(format.bytes(1_800_000_000), `1.80${THIN}GB`);
});

test('percentages are of fractions, and what is tiny is not 0 %', () => {
  assert.equal(format.percent(0.205), `20.5${THIN}%`);
  assert.equal(format.percent(0), `0${THIN}%`);
  assert.equal(format.percent(1), `100${THIN}%`);
  assert.equal(format.percent(0.0123), `1.23${THIN}%`);
  assert.equal(format.percent(0.000_01), `< 0.01${THIN}%`);
});

test('durations change their unit where a person would', () => {
  assert.equal(format.duration(0.0123), `12.3${THIN}µs`);
  assert.equal(format.duration(12.34), `12.3${THIN}ms`);
  assert.equal(format.duration(999.9), `1.00${THIN}s`);
  assert.equal(format.duration(4_216), `4.22${THIN}s`);
  assert.equal(format.duration(59_990), `1${THIN}min`);
  assert.equal(format.duration(185_000), `3${THIN}min 5${THIN}s`);
  assert.equal(format.duration(7_800_000), `2${THIN}h 10${THIN}min`);
  assert.equal(format.duration(3_599_800), `1${THIN}h`);
  assert.equal(format.duration(9 * 86_400_000), '9 days');
});

test('intervals, p-values and differences are written as statisticians do', () => {
  assert.equal(format.interval(0.742, 0.738, 0.746), '0.742 [0.738, 0.746]');
  assert.equal(format.interval(0.742, null, null), '0.742');
  assert.equal(format.pValue(0.00312), '0.003');
  assert.equal(format.pValue(0.000_01), '< 10⁻⁴');
  assert.equal(format.pValue(0.314), '0.31');
  assert.equal(format.delta(0.012, 'AUC', 'higher'), '+0.0120 AUC better');
  assert.equal(format.delta(0.012, 'log loss', 'lower'), '+0.0120 log loss worse');
  assert.equal(format.delta(-0.012, 'log loss', 'lower'), '−0.0120 log loss better');
  assert.equal(format.signed(0), '±0');
});

test('time is relative for a day and then a date', () => {
  const now = Date.UTC(2026, 6, 1, 12);
  assert.equal(format.relativeTime(now - 10_000, now), 'just now');
  assert.equal(format.relativeTime(now - 180_000, now), '3 min ago');
  assert.equal(format.relativeTime(now - 3_590_000, now), '1 h ago');
  assert.equal(format.relativeTime(now + 7_200_000, now), 'in 2 h');
  assert.match(format.relativeTime(now - 3 * 86_400_000, now), /28 Jun 2026/);
});

test('ids are shortened to their end, the part that is unlike others', () => {
  assert.equal(format.shortId('01a20dc633777bbc9f569162838e5898'), '38e5898');
});

test('CSV quotes what must be quoted, keeps all digits, and runs no formula', () => {
  const text = csvOf(
    ['a', 'b, c'],
    [
      ['x "y"', 0.1 + 0.2],
      ['=HYPERLINK("http://x")', null],
      ['-1', -1],
    ],
  );
  assert.equal(text, 'a,"b, c"\r\n"x ""y""",0.30000000000000004\r\n"\'=HYPERLINK(""http://x"")",\r\n-1,-1\r\n');
});
