import { type ReactNode, useState } from 'react';
import classes from './chart.module.css';
import { csvOf, download } from './csv.ts';
import { FigureHead } from './figure-head.tsx';
import { exact, number } from './format.ts';

type Value = string | number | null | undefined;

interface FigureProps {
  /** States what is shown, in words. */
  readonly title: string;
  /** The same as a table: names of its columns, and its rows. */
  readonly head: readonly string[];
  readonly rows: readonly (readonly Value[])[];
  readonly children: ReactNode;
  /** What there is instead where nothing can be drawn. */
  readonly empty?: string | undefined;
}

const MAX_ROWS = 500;

/** A drawing that is no line chart, with the numbers of it as a table and as CSV. */
export function Figure({ title, head, rows, children, empty }: FigureProps) {
  const [isTable, setTable] = useState(false);
  return (
    <figure className={classes['chart']}>
      <FigureHead title={title} isTable={isTable} onTable={setTable} onCsv={() => download(title, csvOf(head, rows))} />
      {empty ? (
        <p className={`${classes['none']} muted`} style={{ minHeight: 96 }}>
          {empty}
        </p>
      ) : isTable ? (
        <Numbers head={head} rows={rows} />
      ) : (
        children
      )}
    </figure>
  );
}

function Numbers({ head, rows }: Pick<FigureProps, 'head' | 'rows'>) {
  const isNumber = head.map((_, i) => rows.some((row) => typeof row[i] === 'number'));
  return (
    <section
      className={classes['numbers']}
      style={{ maxHeight: 320 }}
      tabIndex={0}
      aria-label="The numbers of the drawing"
    >
      <table>
        <thead>
          <tr>
            {head.map((name, i) => (
              <th key={name} scope="col" className={isNumber[i] ? 'num' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MAX_ROWS).map((row, r) => (
            <tr key={r}>
              {row.map((value, i) => (
                <td key={i} className={isNumber[i] ? 'num' : undefined} title={exactOf(value)}>
                  {typeof value === 'number' ? number(value) : (value ?? '—')}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MAX_ROWS && (
        <p className="muted">
          The first {MAX_ROWS} of {rows.length}; the CSV has all of them.
        </p>
      )}
    </section>
  );
}

const exactOf = (value: Value): string | undefined => (typeof value === 'number' ? exact(value) : (value ?? undefined));
