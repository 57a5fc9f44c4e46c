import { AppError, messageOf } from '../kernel/errors.ts';

/**
 * What of a notebook counts for the cache: kind, tags and source of its code cells. Outputs, counts and prose do not, so that
 * running it by hand does not make the step stale. A script is one cell. Lenient: the step itself says what is wrong with a broken notebook.
 */
export function notebookCodeOf(text: string, name: string): readonly string[] {
  if (name.endsWith('.py')) return [text];
  let value: unknown;
  try {
    value = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch (error) {
    throw new AppError('invalid', `${name} is not a notebook: ${messageOf(error).replace(/\s+/g, ' ')}`);
  }
  const { cells, nbformat } = (value ?? {}) as { cells?: unknown; nbformat?: unknown };
  if (typeof nbformat === 'number' && nbformat !== 4) {
    throw new AppError('invalid', `${name} has nbformat ${nbformat}; open it in a current Jupyter and save it`);
  }
  if (!Array.isArray(cells)) throw new AppError('invalid', `${name} is not a notebook: it has no list of cells`);
  return cells.flatMap((cell: { cell_type?: unknown; source?: unknown; metadata?: { tags?: unknown } } | null) => {
    if (cell?.cell_type !== 'code') return [];
    const source = Array.isArray(cell.source) ? cell.source.join('') : String(cell.source ?? '');
    const tags = Array.isArray(cell.metadata?.tags) ? cell.metadata.tags.map(String).sort() : [];
    return [`${tags.join(',')}\n${source}`];
  });
}
