import { Button, SegmentedControl, Textarea, TextInput } from '@mantine/core';
import type { Known } from './field.tsx';
import { Field } from './field.tsx';
import type { Extras, Input, Row } from './request.ts';
import { MAX_ROWS } from './request.ts';
import classes from './try-it.module.css';

interface RowFormProps {
  readonly inputs: readonly Input[];
  readonly known: ReadonlyMap<string, Known>;
  readonly row: Row;
  readonly errors: Readonly<Record<string, string>>;
  readonly onChange: (row: Row) => void;
}

/** The fields of one row. */
export function RowForm({ inputs, known, row, errors, onChange }: RowFormProps) {
  return (
    <div className={classes['fields']}>
      {inputs.map((input) => (
        <Field
          key={input.name}
          input={input}
          known={known.get(input.name)}
          value={row[input.name] ?? null}
          error={errors[input.name]}
          onChange={(value) => onChange({ ...row, [input.name]: value })}
        />
      ))}
    </div>
  );
}

interface RowTabsProps {
  readonly count: number;
  readonly chosen: number;
  readonly onChoose: (row: number) => void;
  readonly onAdd: () => void;
  readonly onRemove: () => void;
}

/** Which of the rows is shown; another begins as a copy of it. */
export function RowTabs({ count, chosen, onChoose, onAdd, onRemove }: RowTabsProps) {
  return (
    <span className={classes['tools']}>
      {count > 1 && (
        <SegmentedControl
          size="xs"
          aria-label="Row"
          className={classes['rows'] ?? ''}
          data={Array.from({ length: count }, (_, i) => ({ value: String(i), label: `row ${i + 1}` }))}
          value={String(chosen)}
          onChange={(value) => onChoose(Number(value))}
        />
      )}
      <Button size="xs" variant="default" disabled={count >= MAX_ROWS} onClick={onAdd}>
        Add a row
      </Button>
      {count > 1 && (
        <Button size="xs" variant="default" onClick={onRemove}>
          Remove row {chosen + 1}
        </Button>
      )}
    </span>
  );
}

export function JsonForm({
  text,
  error,
  onChange,
}: {
  readonly text: string;
  readonly error: string | undefined;
  readonly onChange: (text: string) => void;
}) {
  return (
    <Textarea
      label="Rows as JSON"
      description={`A list of objects, a key a column; at most ${MAX_ROWS}`}
      value={text}
      error={error}
      autosize
      minRows={10}
      maxRows={24}
      spellCheck={false}
      classNames={{ input: 'mono' }}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

export function ExtrasForm({
  extras,
  isDated,
  onChange,
}: {
  readonly extras: Extras;
  /** Whether callers of the endpoint date their requests. */
  readonly isDated: boolean;
  readonly onChange: (extras: Extras) => void;
}) {
  const field = (name: keyof Extras, label: string, description: string) => (
    <TextInput
      size="xs"
      label={label}
      description={description}
      value={extras[name]}
      onChange={(event) => onChange({ ...extras, [name]: event.currentTarget.value })}
    />
  );
  return (
    <details className={classes['extras']}>
      <summary>Ids and time of the request</summary>
      <div className={classes['fields']}>
        {field('id', 'id', "the caller's own, by which labels may name it")}
        {field('entity', 'entity', 'who it is about: decides the arm of a canary')}
        {isDated && field('eventTime', 'event time', 'ISO 8601; a later one moves the event clock')}
      </div>
    </details>
  );
}
