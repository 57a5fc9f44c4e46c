import { gunzipSync, inflateSync } from 'node:zlib';
import type { ModelGraph, PyGlobal } from './graph.ts';
import { readJoblib } from './joblib.ts';
import { LIMITS, NeedsPython, refuse, within } from './limits.ts';
import { readSkops } from './skops.ts';

/**
 * Reads a model file of any container that is understood, told by its first bytes: skops, pickle, cloudpickle by reference,
 * joblib plain, zlib or gzip. Throws `NeedsPython` where only Python can tell, `invalid` where the file is malformed.
 */
export function readModelFile(bytes: Uint8Array): ModelGraph {
  within('fileBytes', bytes.length);
  try {
    return open(bytes);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw refuse(`it is malformed (${error.message})`);
    throw error;
  }
}

function open(bytes: Uint8Array): ModelGraph {
  const [a, b, c] = bytes;
  if (a === 0x50 && b === 0x4b) return readSkops(bytes);
  if (a === 0x1f && b === 0x8b) return readJoblib(inflate(bytes, gunzipSync));
  if (a === 0x78 && (b === 0x01 || b === 0x5e || b === 0x9c || b === 0xda || b === 0x5f))
    return readJoblib(inflate(bytes, inflateSync));
  if (a === 0x42 && b === 0x5a && c === 0x68) throw new NeedsPython('joblib compression bz2');
  if (a === 0xfd && b === 0x37) throw new NeedsPython('joblib compression xz');
  if (a === 0x5d && b === 0x00 && c === 0x00) throw new NeedsPython('joblib compression lzma');
  if (a === 0x5a && b === 0x46) throw new NeedsPython('joblib older than 0.10');
  if (bytes.length === 0) throw refuse('it is empty');
  return readJoblib(bytes);
}

function inflate(bytes: Uint8Array, run: typeof inflateSync): Uint8Array {
  const allowed = Math.min(
    LIMITS.inflatedBytes,
    Math.max(LIMITS.inflatedFloorBytes, LIMITS.inflatedRatio * bytes.length),
  );
  try {
    return run(bytes, { maxOutputLength: allowed });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw refuse(`limit inflatedBytes (${allowed}) exceeded`, { limit: 'inflatedBytes' });
    throw refuse('it does not inflate');
  }
}

const DANGEROUS_MODULES = new Set(
  (
    'os posix nt subprocess sys shutil socket pty importlib runpy code codeop ctypes webbrowser pickle _pickle marshal shelve ' +
    'commands popen2 pip multiprocessing signal asyncio urllib http ftplib smtplib telnetlib requests pdb bdb timeit trace profile ' +
    'cProfile distutils setuptools ensurepip venv imp pkgutil site gc atexit'
  ).split(' '),
);
const DANGEROUS_BUILTINS = new Set(
  'eval exec compile open __import__ getattr setattr delattr globals locals vars input breakpoint help exit quit apply execfile file'.split(
    ' ',
  ),
);
const DANGEROUS_NAMES = new Set([
  'operator.attrgetter',
  'operator.methodcaller',
  'numpy.load',
  'numpy.testing._private.utils.runstring',
  'joblib.load',
  'pandas.read_pickle',
  'functools.reduce',
  'types.FunctionType',
  'types.CodeType',
  'io.open',
  '_io.open',
  'io.FileIO',
  '_io.FileIO',
]);

/** The names of this file that no model needs and that would run something when unpickled, for example `os.system`. */
export function dangerousGlobals(globals: readonly PyGlobal[]): string[] {
  return globals.filter(isDangerous).map(({ path }) => path);
}

function isDangerous({ module, name, path }: PyGlobal): boolean {
  const root = module.split('.')[0]!;
  if (root === 'builtins' || root === '__builtin__') return DANGEROUS_BUILTINS.has(name.split('.')[0]!);
  return DANGEROUS_MODULES.has(root) || DANGEROUS_NAMES.has(path) || DANGEROUS_NAMES.has(`${root}.${name}`);
}
