type Value = string | number | null | undefined;

/** RFC 4180; numbers with all their digits. A text that a spreadsheet would run as a formula gets an apostrophe before it. */
export function csvOf(head: readonly string[], rows: Iterable<readonly Value[]>): string {
  const lines = [head.map(quote).join(',')];
  for (const row of rows) lines.push(row.map(toField).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

function toField(value: Value): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  return quote(/^[=+@\t\r]/.test(value) || /^-(?![\d.])/.test(value) ? `'${value}` : value);
}

const quote = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Hands a text to the browser as a file; the name is made of what a file system takes. */
export function download(name: string, text: string, type = 'text/csv'): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = url;
  const ending = type === 'text/csv' ? '.csv' : '';
  link.download = `${name.replace(/[^\p{L}\p{N}.-]+/gu, '-').slice(0, 80)}${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
