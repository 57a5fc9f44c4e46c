import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useChange } from '../../api/queries.ts';
import { Refusal } from '../../ui/confirm.tsx';
import type { Drop } from './name.ts';
import classes from './new.module.css';

/** What to adopt, and which variable to serve where it could be more than one. */
export function StartForm({ drop }: { readonly drop: Drop }) {
  const [entry, setEntry] = useState(drop.entry ?? drop.entries[0] ?? '');
  const [model, setModel] = useState('');
  const start = useChange('POST /drops/:id/start');
  return (
    <form
      className={classes['form']}
      onSubmit={(event) => {
        event.preventDefault();
        const body = { ...(entry !== '' && { entry }), ...(model.trim() !== '' && { model: model.trim() }) };
        start.mutate({ params: { id: drop.id }, body });
      }}
    >
      {drop.entries.length > 0 && (
        <NativeSelect
          label="Notebook or script"
          size="xs"
          data={[...drop.entries]}
          value={entry}
          onChange={(event) => setEntry(event.currentTarget.value)}
        />
      )}
      <TextInput
        label="Variable to serve"
        description="Only where more than one could be meant"
        inputWrapperOrder={['label', 'input', 'description']}
        size="xs"
        value={model}
        onChange={(event) => setModel(event.currentTarget.value)}
        maxLength={100}
      />
      <Button type="submit" size="xs" loading={start.isPending}>
        {drop.attempts === 0 ? 'Adopt and run' : 'Try again'}
      </Button>
      {start.error && <Refusal error={start.error} />}
    </form>
  );
}
