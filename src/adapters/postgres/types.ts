import pg from 'pg';

const { builtins } = pg.types;

/** Reads values as SQLite gives them: whole numbers as numbers, booleans as 0 and 1, `sum` and `avg` as numbers. */
export const TYPE_PARSERS = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
    if (oid === builtins.INT8) return parseWhole;
    if (oid === builtins.NUMERIC) return parseNumeric;
    if (oid === builtins.BOOL) return (value) => (value === 't' ? 1 : 0);
    return pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown;
  },
};

function parseWhole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`The database holds ${text}, which is beyond 2^53-1`);
  return value;
}

const parseNumeric = (text: string): number => (/^-?\d+$/.test(text) ? parseWhole(text) : Number(text));
