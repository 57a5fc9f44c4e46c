import type { Static } from '../static.ts';
import type { CellOutcome } from '../types.ts';

type CellError = NonNullable<CellOutcome['error']>;

/** Errors that no other version of a package heals. */
const OWN = new Set([
  'NameError',
  'UnboundLocalError',
  'SyntaxError',
  'IndentationError',
  'FileNotFoundError',
  'NotADirectoryError',
  'IsADirectoryError',
  'PermissionError',
  'StdinNotImplementedError',
  'EOFError',
  'ZeroDivisionError',
  'AssertionError',
  'KeyboardInterrupt',
  'MemoryError',
  'ConnectionError',
  'TimeoutError',
  'URLError',
  'HTTPError',
  'UsageError',
  'CalledProcessError',
]);
const NETWORK =
  /refuses? (?:the )?network|network is unreachable|name resolution|Errno -[23]\b|Connection refused|getaddrinfo/i;
/** How pandas 3 words what it no longer does: text columns of their own type, frames that are never changed through a part. */
const PANDAS_3 =
  /for dtype '?str|StringDtype|dtype=str|ArrowString|string\[|ChainedAssignment|read-only|'M'? ?offset|Invalid frequency|unsupported operand type.*str/;

/**
 * Whether nothing that another cell uses comes from this one, as far as the text tells: it draws or describes. What fails there
 * is no reason to look for another environment.
 */
export function isAside(cell: number, found: Static): boolean {
  const own = found.cells.find(({ number }) => number === cell);
  if (!own || own.changes.length > 0) return false;
  const made = new Set(own.defs);
  return !found.cells.some(
    ({ number, uses, later }) =>
      number > cell && (uses.some(({ name }) => made.has(name)) || later.some((name) => made.has(name))),
  );
}

/** Whether another version of the packages may run this cell: a removed interface, a changed default, a stricter check. */
export function isOfPackages(error: CellError, cell: number, found: Static): boolean {
  if (isAside(cell, found)) return false;
  if (found.removed.some((entry) => entry.cell === cell)) return true;
  if (OWN.has(error.name) || NETWORK.test(error.message)) return false;
  if (error.name === 'ModuleNotFoundError' || error.name === 'ImportError') return isOfKnownPackage(error, found);
  // A cell that stopped with the same error when it was saved fails on every day.
  const saved = found.cells.find(({ number }) => number === cell)?.['stoppedWith'];
  return !(typeof saved === 'string' && saved.startsWith(`${error.name}:`));
}

/** A module of an installed package that is gone, not a package that is nowhere. */
function isOfKnownPackage(error: CellError, found: Static): boolean {
  const module = /No module named '([\w.]+)'/.exec(error.message)?.[1];
  if (module === undefined) return true;
  if (module === 'distutils' || module === 'imp' || module === 'pkg_resources') return true;
  const top = module.split('.')[0]!;
  return module.includes('.') && found.packages.some((each) => each.module === top);
}

/** Modules that bear another name than their package. */
const PACKAGE_NAMES: Readonly<Record<string, string>> = {
  PIL: 'pillow',
  sklearn: 'scikit-learn',
  cv2: 'opencv-python-headless',
  bs4: 'beautifulsoup4',
  yaml: 'pyyaml',
  skimage: 'scikit-image',
  pkg_resources: 'setuptools<81',
  setuptools: 'setuptools<81',
  distutils: 'setuptools',
};
const OPTIONAL =
  /[Mm]issing optional dependency '([\w.-]+)'|\brequires? (?:the )?'?`?([\w.-]+?)`?'?(?: to be installed| package| library|\.?$)|`Import ([\w.-]+)` failed|pip3? install (?:-U |--upgrade )?['"]?([\w.-]+)|([\w.-]+) is required for|No module named '([\w.]+)'/;
const OPTIONAL_ERRORS = new Set(['ImportError', 'ModuleNotFoundError', 'AttributeError', 'ValueError', 'RuntimeError']);

/** A package that a library asks for by name when it is used, though nothing in the notebook imports it. */
export function alsoNeeds(error: CellError, found: Static): string | undefined {
  if (!OPTIONAL_ERRORS.has(error.name)) return undefined;
  const match = OPTIONAL.exec(error.message.split('\n')[0]!) ?? undefined;
  const module = match?.slice(1).find((each) => each !== undefined);
  if (module === undefined) return undefined;
  const top = module.split('.')[0]!;
  // What the text imports was looked up by name already, or is nobody's package (google.colab).
  const isImported =
    found.imports.some((each) => each.top === top) ||
    found.packages.some((each) => each.module === top || each.name === top);
  const isPrivate =
    found.missing.some((each) => each.module.split('.')[0] === top) || found.local.some((each) => each.module === top);
  return isImported || isPrivate ? undefined : (PACKAGE_NAMES[top] ?? top.replaceAll('_', '-').toLowerCase());
}

export const isOfPandas3 = (error: CellError): boolean => PANDAS_3.test(error.message);

/** Whether the packages were too old for the cell: it asks for what came later. */
export const wantsNewer = (error: CellError): boolean =>
  /unexpected keyword|has no attribute|cannot import name|No module named/.test(error.message);
