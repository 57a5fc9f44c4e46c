import type { Json } from '../kernel/canonical-json.ts';
import { AppError } from '../kernel/errors.ts';
import { type Notebook, type NotebookCell, tagsOf } from './notebook.ts';

const INJECTED = 'injected-parameters';

/**
 * Puts the parameters into the notebook as papermill does: a cell tagged `injected-parameters` after the cell tagged
 * `parameters` (in place of an earlier injected one), else on top. Without parameters an earlier injected cell is left as it is.
 */
export function injectParameters(notebook: Notebook, params: Readonly<Record<string, Json>>): Notebook {
  if (Object.keys(params).length === 0) return notebook;
  const cells = notebook.cells.filter((cell) => !tagsOf(cell).includes(INJECTED));
  const earlier = notebook.cells.findIndex((cell) => tagsOf(cell).includes(INJECTED));
  const declared = cells.findIndex((cell) => tagsOf(cell).includes('parameters'));
  const at = declared >= 0 ? declared + 1 : Math.max(0, earlier);
  const cell: NotebookCell = {
    cell_type: 'code',
    ...(hasIds(notebook) && { id: INJECTED }),
    metadata: { tags: [INJECTED] },
    source: `# Parameters\n${toAssignments(params)}`,
    execution_count: null,
    outputs: [],
  };
  return { ...notebook, cells: [...cells.slice(0, at), cell, ...cells.slice(at)] };
}

/** @example toAssignments({ rate: 0.1, on: true }) === 'rate = 0.1\non = True\n' */
export const toAssignments = (params: Readonly<Record<string, Json>>): string =>
  Object.entries(params)
    .map(([name, value]) => `${checkedName(name)} = ${toPython(value)}\n`)
    .join('');

/** A Python literal of a JSON value. */
export function toPython(value: Json): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number' || typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(toPython).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}: ${toPython(item)}`)
    .join(', ')}}`;
}

function checkedName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  throw new AppError('invalid', `The parameter "${name}" is not a Python name; use letters, digits and underscores`);
}

/** Cell ids came with nbformat 4.5. */
const hasIds = (notebook: Notebook): boolean => notebook.nbformat_minor >= 5;
