const URL_START = /^[a-zA-Z][a-zA-Z0-9+.-]+:\/\//;
const DRIVE = /^[a-zA-Z]:[\\/]/;

export const isUrl = (written: string): boolean => URL_START.test(written) && !written.startsWith('file://');

/** Whether a path can only have meant another machine, or one's own outside of the project. */
export const isForeign = (written: string): boolean =>
  isUrl(written) || DRIVE.test(written) || /^([/~\\]|file:\/\/)/.test(written);

/**
 * The names that a path goes through, however it was written: Windows, address, encoded.
 *
 * @example partsOf('C:\\Users\\me\\my%20data.csv') → ['Users', 'me', 'my data.csv']
 */
export function partsOf(written: string): string[] {
  let text = written.trim();
  if (URL_START.test(text)) text = pathOfUrl(text);
  if (DRIVE.test(text)) text = text.slice(2);
  if (text.includes('\\') && !text.includes('/')) text = text.replaceAll('\\', '/');
  return text
    .split('/')
    .map((part) => decoded(part.trim()))
    .filter((part) => part !== '' && part !== '.' && part !== '..' && part !== '~');
}

function pathOfUrl(text: string): string {
  try {
    const url = new URL(text);
    return url.protocol === 'file:' ? url.pathname : `${url.host}${url.pathname}`;
  } catch {
    return text.replace(URL_START, '').replace(/[?#].*$/, '');
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** How many names at the end of two paths are the same, without regard to case. */
export function commonEnd(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (
    count < Math.min(a.length, b.length) &&
    a[a.length - 1 - count]!.toLowerCase() === b[b.length - 1 - count]!.toLowerCase()
  ) {
    count++;
  }
  return count;
}
