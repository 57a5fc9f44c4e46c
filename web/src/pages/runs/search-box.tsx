import { TextInput } from '@mantine/core';
import { ApiError } from '../../errors.ts';
import { GRAMMAR_EXAMPLE } from './filter.ts';
import classes from './runs.module.css';

interface SearchBoxProps {
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly error: unknown;
  readonly placeholder?: string;
}

/** Plain words, or MLflow's filter; what is wrong with a filter stands under the box. */
export function SearchBox({ value, onChange, error, placeholder = `Words, or ${GRAMMAR_EXAMPLE}` }: SearchBoxProps) {
  return (
    <TextInput
      size="xs"
      type="search"
      className={classes['search'] ?? ''}
      aria-label="Search runs"
      placeholder={placeholder}
      spellCheck={false}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => event.key === 'Escape' && onChange('')}
      error={error ? <Problem error={error} /> : undefined}
      data-filter
    />
  );
}

function Problem({ error }: { readonly error: unknown }) {
  const message = error instanceof Error ? error.message : String(error);
  const isGrammar = error instanceof ApiError && error.code === 'invalid';
  return (
    <span className={classes['problem']} role="alert">
      {message}
      {isGrammar && ` For example: ${GRAMMAR_EXAMPLE}`}
    </span>
  );
}
