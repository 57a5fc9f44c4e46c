import type { Outputs, RowError } from '../../engines/types.ts';
import type { Frame } from '../../kernel/frame.ts';

/** What scikit-learn, and our engines in its words, say of values that the signature lets through and the model does not take. */
const UNTAKEN = /\b(X contains (NaN|infinity|a value too large)|[Ff]ound unknown categor)/;
/** Rows whose reasons an answer tells. */
const ROWS_TOLD = 5;
const MAX_WORDS = 1_000;

/**
 * Rows that the model does not take are theirs to mend who sent them: marked as refused, with the cell that is why. Of a challenger they stay
 * failures: the champion may take what it does not.
 */
export function withRefusals(outputs: Outputs, frame: Frame): Outputs {
  if (!outputs.errors?.some(({ refused, message }) => !refused && UNTAKEN.test(message))) return outputs;
  return { ...outputs, errors: outputs.errors.map((error) => refusalOf(error, frame)) };
}

function refusalOf(error: RowError, frame: Frame): RowError {
  if (error.refused || !UNTAKEN.test(error.message)) return error;
  const said = error.message.split('\n', 1)[0];
  for (const { name, values } of frame.columns) {
    const value = values[error.row];
    if (value === null || (typeof value === 'number' && !Number.isFinite(value))) {
      const shown = value === null || Number.isNaN(value) ? 'null' : String(value);
      const message = `Column "${name}" is ${shown} in row ${error.row}, which this model does not take: ${said}`;
      return { row: error.row, message, refused: true };
    }
  }
  return { row: error.row, message: `This model does not take these values: ${said}`, refused: true };
}

/** The reasons of rows without an answer. @example 'row 1: plan is "x", which training did not have; row 4: …' */
export function rowsInWords({ errors = [], rowCount }: Pick<Outputs, 'errors' | 'rowCount'>): string {
  if (rowCount === 1 || errors.length === 0) return errors[0]?.message.slice(0, MAX_WORDS) ?? '';
  const told = errors
    .slice(0, ROWS_TOLD)
    .map(({ row, message }) => (names(message, row) ? message : `row ${row}: ${message}`));
  const more = errors.length > ROWS_TOLD ? `; and ${errors.length - ROWS_TOLD} more` : '';
  return `${told.join('; ').slice(0, MAX_WORDS)}${more}`;
}

const names = (message: string, row: number): boolean => message.includes(`in row ${row}`);
