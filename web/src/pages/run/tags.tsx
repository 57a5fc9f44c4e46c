import { ActionIcon, Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useChange } from '../../api/queries.ts';
import { Refusal } from '../../ui/confirm.tsx';
import { Part } from '../../ui/page.tsx';
import type { Run } from './page.tsx';
import classes from './run.module.css';

interface TagsProps {
  readonly run: Run;
  readonly tags: readonly (readonly [string, string])[];
}

/** The user's own tags; one is set by name and value, and setting it again changes it. */
export function Tags({ run, tags }: TagsProps) {
  const [key, setKey] = useState('');
  const [value, setValue] = useState('');
  const change = useChange('PATCH /runs/:id');
  const isActive = run.lifecycle === 'active';
  const set = (name: string, text: string | null): Promise<unknown> =>
    change.mutateAsync({ params: { id: run.id }, body: { tags: { [name]: text } } });
  const add = async (): Promise<void> => {
    await set(key.trim(), value);
    setKey('');
    setValue('');
  };
  return (
    <Part title="Tags">
      {tags.length === 0 && <p className="muted">None.</p>}
      <ul className={classes['tags']}>
        {tags.map(([name, text]) => (
          <li key={name} title={`${name} = ${text}`}>
            <span className="muted">{name}</span>
            <span>{text}</span>
            {isActive && (
              <ActionIcon
                size="xs"
                variant="subtle"
                color="gray"
                aria-label={`Remove the tag ${name}`}
                onClick={() => void set(name, null).catch(() => undefined)}
              >
                ×
              </ActionIcon>
            )}
          </li>
        ))}
      </ul>
      {isActive && (
        <form
          className={classes['add']}
          onSubmit={(event) => {
            event.preventDefault();
            void add().catch(() => undefined);
          }}
        >
          <TextInput
            size="xs"
            aria-label="Tag"
            placeholder="tag"
            value={key}
            onChange={(event) => setKey(event.currentTarget.value)}
          />
          <TextInput
            size="xs"
            aria-label="Value of the tag"
            placeholder="value"
            value={value}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
          <Button size="xs" variant="default" type="submit" disabled={key.trim() === ''} loading={change.isPending}>
            Set
          </Button>
        </form>
      )}
      {change.error && <Refusal error={change.error} />}
    </Part>
  );
}
