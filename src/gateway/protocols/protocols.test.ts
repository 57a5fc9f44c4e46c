import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Signature } from '../../engines/signature.ts';
import { frameFor } from './call.ts';
import { parseCsv } from './csv.ts';
import { parseInvocations } from './mlflow.ts';
import { parseInfer } from './oip.ts';

const signature: Signature = {
  inputs: [
    { name: 'age', type: 'double', required: true },
    { name: 'plan', type: 'string', required: true },
    { name: 'vip', type: 'boolean', required: false },
  ],
  outputs: [],
};

describe('a CSV body', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'é', ',', '"', '\n', ' ', '1'), minLength: 1, maxLength: 6 });
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

  it('comes back cell by cell, whatever its cells hold', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }),
        fc.constantFrom('\n', '\r\n'),
        (rows, end) => {
          const text = [['x', 'y'], ...rows].map((row) => row.map(quoted).join(',')).join(end) + end;
          const frame = parseCsv(text);
          assert.deepEqual(
            frame.columns.map(({ values }) => [...values]),
            [rows.map(([x]) => x), rows.map(([, y]) => y)],
          );
        },
      ),
    );
  });

  it('is typed by the signature: numbers, booleans, and nothing where a cell is empty', () => {
    const frame = frameFor({ kind: 'text', frame: parseCsv('plan,age,vip\nbasic,41.5,True\n7,,false\n') }, signature);
    const values = Object.fromEntries(frame.columns.map((column) => [column.name, [...column.values]]));
    assert.deepEqual(values, { plan: ['basic', '7'], age: [41.5, Number.NaN], vip: [true, false] });
  });

  it('with a short line or an open quote is refused', () => {
    assert.throws(() => parseCsv('a,b\n1\n'), /Line 2 of the CSV has 1 cells; its header has 2/);
    assert.throws(() => parseCsv('a\n"1\n'), /a quoted cell without an end/);
    assert.throws(() => parseCsv(''), /is empty/);
  });
});

describe('an OIP request', () => {
  const tensor = (datatype: string, data: readonly unknown[]) => ({
    inputs: [{ name: 'x', shape: [data.length], datatype, data }],
  });
  const valuesOf = (body: unknown) => {
    const { inputs } = parseInfer(body);
    return inputs.kind === 'columns' ? [...inputs.frame.columns[0]!.values] : [];
  };

  it('takes every datatype within its range and nothing beyond', () => {
    const ranges: Record<string, [number, number]> = {
      UINT8: [0, 255],
      UINT16: [0, 65_535],
      UINT32: [0, 2 ** 32 - 1],
      UINT64: [0, 2 ** 53 - 1],
      INT8: [-128, 127],
      INT16: [-32_768, 32_767],
      INT32: [-(2 ** 31), 2 ** 31 - 1],
      INT64: [-(2 ** 53) + 1, 2 ** 53 - 1],
    };
    for (const [datatype, [low, high]] of Object.entries(ranges)) {
      assert.deepEqual(valuesOf(tensor(datatype, [low, high])), [low, high]);
      for (const wrong of [low - 1, high + 1, 0.5, true, '1'])
        assert.throws(() => valuesOf(tensor(datatype, [wrong])), /Column "x" expects/);
    }
    for (const datatype of ['FP16', 'FP32', 'FP64'])
      assert.deepEqual(valuesOf(tensor(datatype, [1.5, null])), [1.5, Number.NaN]);
    assert.deepEqual(valuesOf(tensor('BOOL', [true, null])), [true, null]);
    assert.deepEqual(valuesOf(tensor('BYTES', ['a', null])), ['a', null]);
    assert.throws(() => valuesOf(tensor('BOOL', [1])), /Column "x" expects BOOL; element 0 has the number 1/);
  });

  it('with columns of different lengths or two 2-D inputs is refused by name', () => {
    const input = (name: string, shape: number[], data: number[]) => ({ name, shape, datatype: 'FP64', data });
    assert.throws(
      () => parseInfer({ inputs: [input('a', [1], [1]), input('b', [2], [1, 2])] }),
      /Input "b" has 2 rows of 1; expected 1 of 1/,
    );
    assert.throws(
      () => parseInfer({ inputs: [input('a', [1, 2], [1, 2]), input('b', [1], [1])] }),
      /Input "a" is two-dimensional/,
    );
  });

  it('never fails but with a refusal, whatever JSON comes', () => {
    const soup = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('x', 'FP64', 'predict'),
        fc.double(),
        fc.constant(null),
        tie('list'),
        tie('record'),
      ),
      list: fc.array(tie('value'), { maxLength: 3 }),
      record: fc.dictionary(
        fc.constantFrom(
          'inputs',
          'name',
          'shape',
          'datatype',
          'data',
          'id',
          'parameters',
          'params',
          'instances',
          'columns',
          'dataframe_split',
        ),
        tie('value'),
      ),
    }));
    fc.assert(
      fc.property(soup.record, (body) => {
        for (const parse of [parseInfer, parseInvocations])
          try {
            parse(body);
          } catch (error) {
            assert.equal((error as Error).name, 'AppError', String(error));
          }
      }),
      { numRuns: 500 },
    );
  });
});
