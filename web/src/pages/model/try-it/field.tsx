import { Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useId } from 'react';
import type { AnswerOf } from '../../../api/routes.ts';
import { number } from '../../../ui/format.ts';
import { type Field as FieldValue, type Input, isNumeric } from './request.ts';
import classes from './try-it.module.css';

type Profile = NonNullable<AnswerOf<'GET /models/:model/versions/:version/profile'>['profile']>;
export type Known = Profile['features'][number];

interface FieldProps {
  readonly input: Input;
  readonly known: Known | undefined;
  readonly value: FieldValue;
  readonly error: string | undefined;
  readonly onChange: (value: FieldValue) => void;
}

/** A column of one row: what training held of it as a hint, null as a choice of its own. */
export function Field({ input, known, value, error, onChange }: FieldProps) {
  const list = useId();
  const common = {
    size: 'xs' as const,
    label: (
      <>
        <bdi>{input.name}</bdi> <span className="muted">{input.type}</span>
      </>
    ),
    description: hintOf(input, known),
    error,
    disabled: value === null,
    value: value ?? '',
  };
  return (
    <div className={classes['field']}>
      {input.type === 'boolean' ? (
        <NativeSelect
          {...common}
          data={['', 'true', 'false']}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      ) : (
        <TextInput
          {...common}
          {...(isNumeric(input) && { inputMode: 'decimal' as const })}
          {...(known?.kind === 'category' && { list })}
          placeholder={value === null ? 'null' : ''}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )}
      {known?.kind === 'category' && (
        <datalist id={list}>
          {known.values.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
      <Checkbox
        size="xs"
        label="null"
        aria-label={`${input.name} is null`}
        checked={value === null}
        onChange={(event) => onChange(event.currentTarget.checked ? null : '')}
      />
    </div>
  );
}

const SHOWN = 4;

/** What training held, shortly. */
function hintOf(input: Input, known: Known | undefined): string {
  if (input.type === 'datetime') return 'ISO 8601, UTC';
  if (known?.kind === 'numeric')
    return `training: ${number(known.min)} to ${number(known.max)}, mean ${number(known.mean)}`;
  if (known?.kind !== 'category') return ' ';
  const more = known.values.length - SHOWN;
  return `training: ${known.values.slice(0, SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
