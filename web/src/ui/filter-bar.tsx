import { Button, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { Dropdown } from './dropdown.tsx';
import classes from './filter-bar.module.css';

interface ColumnName {
  readonly id: string;
  readonly header: string;
}

interface FilterBarProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  readonly columns?: readonly ColumnName[];
  readonly hidden?: readonly string[];
  readonly onHide?: (hidden: readonly string[]) => void;
  /** Writes what is shown as CSV. */
  readonly onCsv?: () => void;
  readonly children?: React.ReactNode;
}

const TYPING_MS = 120;

/** The one filter bar: words that filter, then what the page adds, then which columns are shown and the rows as CSV. */
export function FilterBar(props: FilterBarProps) {
  const { label, placeholder, columns, hidden = [], onHide, onCsv, children } = props;
  const [text, type] = useTyped(props.value, props.onChange);
  return (
    <div className={classes['bar']}>
      <TextInput
        size="xs"
        className={classes['words'] ?? ''}
        type="search"
        aria-label={label}
        placeholder={placeholder ?? label}
        value={text}
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && type('')}
        data-filter
      />
      {children}
      <span className={classes['tools']}>
        {columns && onHide && <ColumnChooser columns={columns} hidden={hidden} onHide={onHide} />}
        {onCsv && (
          <Button size="xs" variant="default" onClick={onCsv}>
            CSV
          </Button>
        )}
      </span>
    </div>
  );
}

/** What is typed shows at once and is told a moment later; what comes from outside (back, forward) replaces it. */
function useTyped(value: string, onChange: (value: string) => void): readonly [string, (text: string) => void] {
  const [text, setText] = useState(value);
  const told = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (value !== told.current) setText(value);
    told.current = value;
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (next: string): void => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      told.current = next;
      onChange(next);
    }, TYPING_MS);
  };
  return [text, type];
}

/** Which columns of a table are shown. */
export function ColumnChooser({
  columns,
  hidden,
  onHide,
}: {
  readonly columns: readonly ColumnName[];
  readonly hidden: readonly string[];
  readonly onHide: (hidden: readonly string[]) => void;
}) {
  const shown = columns.filter(({ id }) => !hidden.includes(id)).length;
  return (
    <Dropdown label={shown === columns.length ? 'Columns' : `Columns ${shown} of ${columns.length}`}>
      <fieldset className={classes['columns']}>
        <legend className={classes['legend']}>Columns</legend>
        {columns.map(({ id, header }, index) => (
          <label key={id}>
            <input
              type="checkbox"
              checked={!hidden.includes(id)}
              disabled={index === 0}
              onChange={() => onHide(hidden.includes(id) ? hidden.filter((each) => each !== id) : [...hidden, id])}
            />
            <span>{header}</span>
          </label>
        ))}
        {hidden.length > 0 && (
          <button type="button" onClick={() => onHide([])}>
            Show all
          </button>
        )}
      </fieldset>
    </Dropdown>
  );
}
