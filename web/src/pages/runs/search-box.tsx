import { TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { ApiError } from '../../errors.ts';
import { GRAMMAR_EXAMPLE } from './filter.ts';
import classes from './runs.module.css';

interface SearchBoxProps {
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly error: unknown;
}

const TYPING_MS = 80;

/** Plain words, or MLflow's filter; what is wrong with a filter stands under the box. */
export function SearchBox({ value, onChange, error }: SearchBoxProps) {
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
  return (
    <TextInput
      size="xs"
      type="search"
      className={classes['search'] ?? ''}
      aria-label="Search runs"
      placeholder={`Words, or ${GRAMMAR_EXAMPLE}`}
      spellCheck={false}
      value={text}
      onChange={(event) => type(event.currentTarget.value)}
      onKeyDown={(event) => event.key === 'Escape' && type('')}
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
