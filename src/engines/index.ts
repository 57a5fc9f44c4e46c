export { type Conversion, convertBytes, convertModel, READER_VERSION } from './convert.ts';
export { describeModelFile, type ModelFileFacts } from './describe.ts';
export { readEngine, writeEngine } from './engine-file.ts';
export {
  compareGolden,
  computeGolden,
  decodeGolden,
  encodeGolden,
  type Golden,
  type GoldenRequest,
  MAX_GOLDEN_ROWS,
  PARITY_TOLERANCE,
  type Parity,
} from './golden.ts';
export { type Flavor, flavorsFromMlmodel, signatureFromMlmodel } from './mlmodel.ts';
export { ENGINE_FORMAT, type EngineModel } from './model.ts';
export { compileModel } from './predictor.ts';
export { loadServable } from './servable.ts';
export {
  type CheckedRows,
  type ColumnType,
  checkRows,
  columnTypes,
  inferSignature,
  type Signature,
  type SignatureColumn,
} from './signature.ts';
export { concatOutputs, rowsOf } from './turns.ts';
export type { Fault, Outputs, PythonFile, RowError, Servable, ServableIo, ServableSpec, Task } from './types.ts';
