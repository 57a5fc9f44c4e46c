import { ByteSource } from './byte-source.ts';
import { checkShape, Dtype, type ModelGraph, NdArray, PyDict, type PyObject, type PyValue } from './graph.ts';
import { refuse, withGlobals, within } from './limits.ts';
import { dimensions } from './numpy.ts';
import { Machine, newSession, type Session } from './pickle.ts';

/** Reads a joblib file (0.10 and later), already inflated: a pickle with raw array blocks in between. */
export function readJoblib(bytes: Uint8Array): ModelGraph {
  within('fileBytes', bytes.length);
  const session = newSession(readArray);
  const root = withGlobals(session.globals, () => new Machine(new ByteSource(bytes), session).run());
  const reader = session.globals.has('joblib.numpy_pickle\nNumpyArrayWrapper') ? 'joblib' : 'pickle';
  return { root, globals: [...session.globals.values()], reader, fileBytes: bytes.length };
}

function readArray(wrapper: PyObject, source: ByteSource, session: Session): NdArray {
  const state = wrapper.state instanceof PyDict ? wrapper.state : undefined;
  const dtype = state?.get('dtype');
  if (!state || !(dtype instanceof Dtype)) throw refuse('an array wrapper has no dtype');
  const array = new NdArray();
  array.dtype = dtype;
  array.shape = dimensions(state.get('shape'));
  array.fortran = state.get('order') === 'F';
  if (dtype.kind === 'O') return readObjects(array, source, session);
  skipPadding(state.get('numpy_array_alignment_bytes'), source);
  const length = array.size * dtype.size;
  array.bytes = source.take(length);
  checkShape(array.shape, dtype.size, length);
  return array;
}

function readObjects(array: NdArray, source: ByteSource, session: Session): NdArray {
  const nested = new Machine(source, session).run();
  if (!(nested instanceof NdArray) || !nested.items) throw refuse('an object array holds no array');
  array.items = nested.items;
  array.shape = nested.shape;
  return array;
}

function skipPadding(alignment: PyValue, source: ByteSource): void {
  if (alignment === null || alignment === undefined) return;
  if (typeof alignment !== 'number' || alignment < 0 || alignment > 255) throw refuse('an odd array alignment');
  source.take(source.u8());
}
