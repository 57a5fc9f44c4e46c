/** Numbers as people who read them for a living want them. Missing is an em dash, never 0; NaN is `NaN`. */
export const MISSING = '—';
const THIN = '\u202f';
const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];

type Maybe = number | null | undefined;

const isMissing = (value: Maybe): value is null | undefined => value === null || value === undefined;

/** Three significant digits, thousands grouped, tiny and huge ones in powers of ten. */
export function number(value: Maybe, digits = 3): string {
  if (isMissing(value)) return MISSING;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e9) return power(value, digits);
  if (Number.isInteger(value)) return minus(value.toLocaleString('en-US').replaceAll(',', THIN));
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return minus(value.toLocaleString('en-US', { maximumFractionDigits: Math.min(decimals, 12) }).replaceAll(',', THIN));
}

function power(value: number, digits: number): string {
  const [mantissa = '0', exponent = '0'] = value.toExponential(digits - 1).split('e');
  return `${minus(mantissa)} × 10${superscript(Number(exponent))}`;
}

const minus = (text: string): string => text.replace('-', '−');

const superscript = (value: number): string =>
  [...String(value)].map((digit) => (digit === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)])).join('');

/** All digits: what hovering shows. */
export const exact = (value: Maybe): string => (isMissing(value) ? MISSING : minus(String(value)));

/** `3.0 M`, `861`, `12.4 k`. */
export function count(value: Maybe): string {
  if (isMissing(value)) return MISSING;
  if (Math.abs(value) < 10_000) return number(value);
  return scaled(value, 1_000, PREFIXES).trim();
}

/** `1.8 GB`. */
export function bytes(value: Maybe): string {
  if (isMissing(value)) return MISSING;
  return `${scaled(value, 1_000, PREFIXES)}B`;
}

function scaled(value: number, base: number, prefixes: readonly string[]): string {
  const step = Math.min(prefixes.length - 1, Math.max(0, Math.floor(Math.log(Math.abs(value) || 1) / Math.log(base))));
  const scaledValue = value / base ** step;
  return `${step === 0 ? number(value) : scaledValue.toPrecision(3).replace(/\.0+$/, '')}${THIN}${prefixes[step]}`;
}

/** `20.5 %`; of a fraction. */
export function percent(fraction: Maybe): string {
  if (isMissing(fraction)) return MISSING;
  const value = fraction * 100;
  const digits = Math.abs(value) >= 99.95 || value === 0 || Math.abs(value) >= 10 ? 1 : 2;
  return `${minus(value.toFixed(digits).replace(/\.0+$/, ''))}${THIN}%`;
}

/** `12.3 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `9 days`. */
export function duration(ms: Maybe): string {
  if (isMissing(ms)) return MISSING;
  if (ms < 1) return `${number(ms * 1_000)}${THIN}µs`;
  if (ms < 1_000) return `${number(ms)}${THIN}ms`;
  if (ms < 60_000) return `${number(ms / 1_000)}${THIN}s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
  if (ms < 86_400_000 * 2) return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
  return `${Math.round(ms / 86_400_000)} days`;
}

/** `0.742 [0.738, 0.746]`. */
export const interval = (value: Maybe, low: Maybe, high: Maybe): string =>
  isMissing(low) || isMissing(high) ? number(value) : `${number(value)} [${number(low)}, ${number(high)}]`;

/** p-values: `0.003`, `< 10⁻⁴`. */
export const pValue = (value: Maybe): string =>
  isMissing(value) ? MISSING : value < 1e-4 ? '< 10⁻⁴' : value.toPrecision(1);

/** The last seven characters: the first of a time-ordered id are time. */
export const shortId = (id: string): string => id.slice(-7);

export function relativeTime(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1_000);
  const size = Math.abs(seconds);
  const says = (n: number, unit: string): string => (seconds >= 0 ? `${n} ${unit} ago` : `in ${n} ${unit}`);
  if (size < 45) return seconds >= 0 ? 'just now' : 'in a moment';
  if (size < 3_600) return says(Math.max(1, Math.round(size / 60)), 'min');
  if (size < 86_400) return says(Math.round(size / 3_600), 'h');
  return new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}

export const localTime = (at: number): string =>
  new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
export const utcTime = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
