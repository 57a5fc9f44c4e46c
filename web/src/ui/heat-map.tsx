import classes from './heat-map.module.css';

interface Cell {
  /** 0 to 1: effect size, never p. */
  readonly strength: number;
  readonly isMarked: boolean;
  readonly text: string;
}

interface HeatMapProps {
  readonly label: string;
  readonly columns: readonly { readonly id: string; readonly label: string }[];
  readonly rows: readonly string[];
  /** By row, then column; null where there is nothing. */
  readonly cells: readonly (readonly (Cell | null)[])[];
}

/** Rows by windows on a sequential scale; significant cells are outlined, and each tells itself on hover and to screen readers. */
export function HeatMap({ label, columns, rows, cells }: HeatMapProps) {
  return (
    <section className={classes['viewport']} aria-label={label} tabIndex={0}>
      <table className={classes['map']}>
        <thead className={classes['hidden']}>
          <tr>
            <th>rule</th>
            {columns.map((column) => (
              <th key={column.id}>{column.label}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, r) => (
            <tr key={row}>
              <th scope="row">{row}</th>
              {columns.map((column, c) => {
                const cell = cells[r]?.[c];
                return (
                  <td key={column.id}>
                    {cell && (
                      <span
                        className={classes['cell']}
                        data-marked={cell.isMarked || undefined}
                        style={{ '--strength': `${Math.round(cell.strength * 100)}%` } as React.CSSProperties}
                        title={`${column.label}\n${cell.text}`}
                      />
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
