/** Numbers as people who read them for a living want them. Missing is an em dash, never 0; NaN is `NaN`. */
export const MISSING = '—';
const THIN = '\u202f';
const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];

type Maybe = number | null | undefined;

const isMissing = (value: Maybe): value is null | undefined => value === null || value === undefined;

/** Three significant digits, thousands grouped, tiny and huge ones in powers of ten. @example number(0.7) // 0.700 */
export function number(value: Maybe, digits = 3): string {
  if (isMissing(value)) return MISSING;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e9) return power(value, digits);
  if (Number.isInteger(value)) return minus(grouped(value, 0));
  return minus(grouped(value, decimalsOf(value, digits)));
}

/** How many decimals show so many significant digits; rounding may bring one more before the point (9.999 is 10.0). */
function decimalsOf(value: number, digits: number): number {
  const exponent = Number(
    Math.abs(value)
      .toExponential(digits - 1)
      .split('e')[1],
  );
  return Math.min(12, Math.max(0, digits - 1 - exponent));
}

const grouped = (value: number, decimals: number): string =>
  value
    .toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
    .replaceAll(',', THIN);

function power(value: number, digits: number): string {
  const [mantissa = '0', exponent = '0'] = value.toExponential(digits - 1).split('e');
  return `${minus(mantissa)} × 10${superscript(Number(exponent))}`;
}

const minus = (text: string): string => text.replace('-', '−');

const superscript = (value: number): string =>
  [...String(value)].map((digit) => (digit === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)])).join('');

/** All digits: what hovering shows. */
export const exact = (value: Maybe): string => (isMissing(value) ? MISSING : minus(String(value)));

/** `861`, `12.4 k`, `3.00 M`. */
export function count(value: Maybe): string {
  if (isMissing(value)) return MISSING;
  if (!(Math.abs(value) >= 10_000)) return number(value);
  return scaled(value, PREFIXES).trim();
}

/** `1.80 GB`; powers of a thousand. */
export function bytes(value: Maybe): string {
  if (isMissing(value)) return MISSING;
  return `${scaled(value, PREFIXES)}B`;
}

function scaled(value: number, prefixes: readonly string[]): string {
  if (!Number.isFinite(value)) return number(value);
  const exponent = Number(Math.abs(value).toExponential(2).split('e')[1]);
  const step = Math.min(prefixes.length - 1, Math.max(0, Math.floor(exponent / 3)));
  const shown = value / 1_000 ** step;
  return `${step === 0 ? number(shown) : minus(grouped(shown, decimalsOf(shown, 3)))}${THIN}${prefixes[step]}`;
}

/** `20.5 %`; of a fraction. */
export function percent(fraction: Maybe): string {
  if (isMissing(fraction)) return MISSING;
  const value = fraction * 100;
  if (!Number.isFinite(value)) return number(value);
  const size = Math.abs(value);
  if (value !== 0 && size < 0.01) return `${value < 0 ? '> −' : '< '}0.01${THIN}%`;
  const digits = size >= 99.95 || value === 0 || size >= 10 ? 1 : 2;
  return `${minus(value.toFixed(digits).replace(/\.0+$/, ''))}${THIN}%`;
}

/** `12.3 ms`, `4.20 s`, `3 min 5 s`, `2 h 10 min`, `9 days`. */
export function duration(ms: Maybe): string {
  if (isMissing(ms)) return MISSING;
  if (!Number.isFinite(ms)) return number(ms);
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms === 0) return `0${THIN}ms`;
  if (ms < 1) return `${number(ms * 1_000)}${THIN}µs`;
  if (ms < 999.5) return `${number(ms)}${THIN}ms`;
  if (ms < 59_950) return `${number(ms / 1_000)}${THIN}s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return twoUnits(seconds, 60, 'min', 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return twoUnits(minutes, 60, 'h', 'min');
  return `${Math.round(minutes / 1_440)} days`;
}

const twoUnits = (value: number, base: number, big: string, small: string): string =>
  value % base === 0
    ? `${value / base}${THIN}${big}`
    : `${Math.floor(value / base)}${THIN}${big} ${value % base}${THIN}${small}`;

/** `0.742 [0.738, 0.746]`. */
export const interval = (value: Maybe, low: Maybe, high: Maybe): string =>
  isMissing(low) || isMissing(high) ? number(value) : `${number(value)} [${number(low)}, ${number(high)}]`;

/** `+0.012`, `−0.4`, `±0`: with its sign always. */
export function signed(value: Maybe, format: (value: number) => string = number): string {
  if (isMissing(value)) return MISSING;
  if (value === 0) return '±0';
  return value > 0 ? `+${format(value)}` : format(value);
}

export type Better = 'higher' | 'lower';

/** `+0.0120 AUC better`, `+0.0120 log loss worse`: a difference and whether it is for the better. */
export function delta(value: Maybe, unit: string, better: Better): string {
  if (isMissing(value)) return MISSING;
  if (value === 0) return `±0 ${unit}`;
  return `${signed(value)} ${unit} ${value > 0 === (better === 'higher') ? 'better' : 'worse'}`;
}

/** p-values: `0.003`, `< 10⁻⁴`. */
export function pValue(value: Maybe): string {
  if (isMissing(value)) return MISSING;
  if (Number.isNaN(value)) return 'NaN';
  if (value < 1e-4) return '< 10⁻⁴';
  return value >= 0.1 ? value.toFixed(2) : String(Number(value.toPrecision(1)));
}

/** The last seven characters: the first of a time-ordered id are time. */
export const shortId = (id: string): string => id.slice(-7);

export function relativeTime(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1_000);
  const size = Math.abs(seconds);
  const says = (n: number, unit: string): string => (seconds >= 0 ? `${n} ${unit} ago` : `in ${n} ${unit}`);
  if (size < 45) return seconds >= 0 ? 'just now' : 'in a moment';
  if (size < 3_570) return says(Math.max(1, Math.round(size / 60)), 'min');
  if (size < 86_400) return says(Math.round(size / 3_600), 'h');
  return new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `2001-04-19 02:00`, in the reader's own time. */
export function localMinute(at: number): string {
  const date = new Date(at);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `14:02:11`, in the reader's own time. */
export const clockTime = (at: number): string => new Date(at).toTimeString().slice(0, 8);

export const localTime = (at: number): string =>
  new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
export const utcTime = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
