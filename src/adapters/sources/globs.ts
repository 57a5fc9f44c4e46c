/** `*` any run within a name, `**` any folders, `?` one character, `[ab]` one of these. */
export const isGlob = (text: string): boolean => /[*?[]/.test(text);

/** The part of a pattern before its first wildcard name, with its slash: `a/b/` of `a/b/*.csv`. */
export function fixedFolder(pattern: string): string {
  const names = pattern.split('/');
  const wild = names.findIndex(isGlob);
  const fixed = names.slice(0, wild === -1 ? names.length - 1 : wild).join('/');
  return fixed === '' && !pattern.startsWith('/') ? '' : `${fixed}/`;
}

/** The pattern as a regular expression over `/` separated paths. */
export function globToRegExp(pattern: string): RegExp {
  const source = pattern.replace(/\*\*\/|\*\*|\*|\?|\[[^\]/]+\]|[.+^${}()|[\]\\]/g, (token) => {
    if (token === '**/') return '(?:[^/]+/)*';
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    if (token.length > 2 && token.startsWith('[')) return token.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
    return `\\${token}`;
  });
  return new RegExp(`^${source}$`);
}
