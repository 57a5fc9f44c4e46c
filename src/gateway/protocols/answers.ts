import type { Outputs } from '../../engines/types.ts';
import type { Cell } from '../../kernel/frame.ts';
import type { Answer } from '../serve/predict.ts';
import { rowsInWords } from '../serve/refusals.ts';

/**
 * An OIP response. `parameters.prediction_ids` is text, comma-separated, one id a row, for the protocol's parameters are text, numbers and
 * booleans; rows that failed are null in the data and named in `parameters.failed_rows`.
 */
export function inferAnswer(answer: Answer): string {
  const { version, outputs, ids, call, fallback } = answer;
  const { oipStart, labelType, oneRow } = version.pieces;
  if (isPlain(answer) && call.outputs === null && outputs.probabilities?.length === 2)
    return `${oneRow.start}${ids[0]!}${oneRow.label}${labelsText(outputs.labels)}${oneRow.probabilities}${rowText(outputs.probabilities, 0)}]}]}`;
  const id = call.callerId === null ? '' : `,"id":${JSON.stringify(call.callerId)}`;
  const rows = outputs.rowCount;
  const idText = rows === 1 ? ids[0]! : ids.join(',');
  const wanted = call.outputs;
  let tensors = '';
  if (wanted === null || wanted.includes('predict'))
    tensors = `{"name":"predict","shape":[${rows}],"datatype":"${labelType}","data":[${labelsText(outputs.labels)}]}`;
  const classes = outputs.probabilities;
  if (classes && (wanted === null || wanted.includes('predict_proba'))) {
    if (tensors !== '') tensors += ',';
    tensors += `{"name":"predict_proba","shape":[${rows},${classes.length}],"datatype":"FP64","data":[${probabilitiesText(classes, rows)}]}`;
  }
  const extra = (fallback ? ',"fallback":true' : '') + failedText(outputs);
  return `${oipStart}${id},"parameters":{"prediction_ids":"${idText}"${extra}},"outputs":[${tensors}]}`;
}

/** One row that its model answered, in nothing but ASCII. */
export const isPlain = ({ version, outputs, call, fallback }: Answer): boolean =>
  outputs.rowCount === 1 &&
  version.pieces.isAscii &&
  typeof outputs.labels[0] !== 'string' &&
  call.callerId === null &&
  !fallback &&
  outputs.errors === undefined;

/** MLflow's answer: labels, or a list a row where the model's `predict_fn` is `predict_proba`. */
export function invocationsAnswer({ version, outputs }: Answer): string {
  const classes = outputs.probabilities;
  if (version.predictFn === 'predict' || !classes) return `{"predictions": [${labelsText(outputs.labels)}]}`;
  const rows = Array.from({ length: outputs.rowCount }, (_, row) => `[${rowText(classes, row)}]`);
  return `{"predictions": [${rows.join(',')}]}`;
}

const failedText = (outputs: Outputs): string =>
  outputs.errors && outputs.errors.length > 0
    ? `,"failed_rows":"${outputs.errors.map(({ row }) => row).join(',')}","error":${JSON.stringify(rowsInWords(outputs))}`
    : '';

function labelsText(labels: readonly Cell[]): string {
  let text = '';
  for (let i = 0; i < labels.length; i++) text += (i === 0 ? '' : ',') + cellText(labels[i]!);
  return text;
}

/** JSON has no NaN or infinity: null. */
const numberText = (value: number): string => (Number.isFinite(value) ? String(value) : 'null');

function cellText(cell: Cell): string {
  if (typeof cell === 'number') return numberText(cell);
  return typeof cell === 'string' ? JSON.stringify(cell) : String(cell);
}

/** Row-major: all classes of row 0, then of row 1. */
function probabilitiesText(classes: readonly Float64Array[], rows: number): string {
  let text = rowText(classes, 0);
  for (let row = 1; row < rows; row++) text += `,${rowText(classes, row)}`;
  return text;
}

function rowText(classes: readonly Float64Array[], row: number): string {
  let text = numberText(classes[0]![row]!);
  for (let c = 1; c < classes.length; c++) text += `,${numberText(classes[c]![row]!)}`;
  return text;
}
