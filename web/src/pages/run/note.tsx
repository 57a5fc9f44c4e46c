import { Button, Textarea } from '@mantine/core';
import { useState } from 'react';
import { useChange } from '../../api/queries.ts';
import { Refusal } from '../../ui/confirm.tsx';
import { Part } from '../../ui/page.tsx';
import type { Run } from './page.tsx';
import classes from './run.module.css';

const NOTE_TAG = 'mlflow.note.content';
const MAX_NOTE = 8_000;

/** What people wrote about the run; MLflow keeps it as a tag. */
export function Note({ run, note }: { readonly run: Run; readonly note: string }) {
  const [draft, setDraft] = useState<string>();
  const change = useChange('PATCH /runs/:id');
  const save = async (): Promise<void> => {
    const text = draft?.trim() ?? '';
    await change.mutateAsync({ params: { id: run.id }, body: { tags: { [NOTE_TAG]: text === '' ? null : text } } });
    setDraft(undefined);
  };
  return (
    <Part
      title="Note"
      tools={
        draft === undefined &&
        run.lifecycle === 'active' && (
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            onClick={() => setDraft(note)}
            aria-label="Edit the note"
          >
            Edit
          </Button>
        )
      }
    >
      {draft === undefined ? (
        <p className={note === '' ? 'muted' : classes['note']}>{note === '' ? 'None.' : note}</p>
      ) : (
        <form
          className={classes['form']}
          onSubmit={(event) => {
            event.preventDefault();
            void save().catch(() => undefined);
          }}
        >
          <Textarea
            aria-label="Note"
            autosize
            minRows={3}
            maxRows={16}
            maxLength={MAX_NOTE}
            value={draft}
            onChange={(event) => setDraft(event.currentTarget.value)}
            data-autofocus
          />
          {change.error && <Refusal error={change.error} />}
          <div className={classes['buttons']}>
            <Button size="xs" type="submit" loading={change.isPending}>
              Save
            </Button>
            <Button size="xs" variant="default" onClick={() => setDraft(undefined)}>
              Cancel
            </Button>
          </div>
        </form>
      )}
    </Part>
  );
}
