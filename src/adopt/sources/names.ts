import { basename, extname, relative, sep } from 'node:path';

/** A name that levain.yaml takes: letters, digits, `_` and `-`. */
export function slugOf(text: string, otherwise: string): string {
  const slug = text
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[-_]+|[-_]+$/g, '')
    .toLowerCase()
    .slice(0, 60);
  return /^[a-z]/.test(slug) ? slug : slug === '' ? otherwise : `${otherwise}-${slug}`;
}

/** A name that no other entry has yet. */
export function freshSlug(text: string, otherwise: string, taken: { readonly [name: string]: unknown }): string {
  const first = slugOf(text, otherwise);
  for (let i = 1; ; i++) {
    const name = i === 1 ? first : `${first}-${i}`;
    if (!Object.hasOwn(taken, name)) return name;
  }
}

export const stemOf = (path: string): string => basename(path, extname(path));

/** Relative to the folder, with `/`; undefined where it lies outside. */
export function insideOf(folder: string, path: string): string | undefined {
  const inner = relative(folder, path).split(sep).join('/');
  return inner === '' || inner.startsWith('../') || inner === '..' ? undefined : inner;
}

/** One word for a shell. */
export const quoted = (text: string): string =>
  /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
