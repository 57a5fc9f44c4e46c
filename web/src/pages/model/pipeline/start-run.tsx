import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useChange, useGet } from '../../../api/queries.ts';
import { ConfirmDialog } from '../../../ui/confirm.tsx';
import { useViewState } from '../../../ui/view-state.ts';
import classes from './pipeline.module.css';
import type { Run } from './words.ts';

interface StartRunProps {
  readonly pipeline: string;
  /** The run that is run again: its parameters and its data mode are the first choice. */
  readonly like?: Pick<Run, 'id' | 'params' | 'dataMode' | 'draft'>;
  readonly primary?: boolean;
}

type Mode = 'current' | 'latest';

/** Runs the applied file, with other parameters or on the newest data where that is wanted. */
export function StartRun({ pipeline, like, primary = false }: StartRunProps) {
  const [isOpen, setOpen] = useState(false);
  const verb = like ? 'Run again' : 'Run';
  return (
    <>
      <Button size="xs" variant={primary ? 'filled' : 'default'} onClick={() => setOpen(true)}>
        {verb}
      </Button>
      {isOpen && <StartDialog pipeline={pipeline} verb={verb} onClose={() => setOpen(false)} {...(like && { like })} />}
    </>
  );
}

function StartDialog({
  pipeline,
  like,
  verb,
  onClose,
}: Omit<StartRunProps, 'primary'> & { readonly verb: string; readonly onClose: () => void }) {
  const applied = useGet('GET /pipelines/:name', { params: { name: pipeline } });
  const start = useChange('POST /pipelines/:name/runs');
  const [, show] = useViewState('run');
  const [mode, setMode] = useState<Mode>(like?.dataMode ?? 'current');
  const known = Object.keys(applied.data?.file.params ?? {});
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries(Object.entries(like?.params ?? {}).map(([name, value]) => [name, JSON.stringify(value)])),
  );
  return (
    <ConfirmDialog
      verb={verb}
      title={`${verb}: ${pipeline}`}
      isOpen
      onClose={onClose}
      blocked={applied.data === undefined}
      consequence={<Consequence pipeline={pipeline} mode={mode} isDraft={like?.draft ?? false} />}
      act={async () => {
        const params = Object.fromEntries(
          Object.entries(typed)
            .filter(([name, text]) => known.includes(name) && text.trim() !== '')
            .map(([name, text]) => [name, toValue(text)]),
        );
        const run = await start.mutateAsync({
          params: { name: pipeline },
          body: { dataMode: mode, params: params as Readonly<Record<string, string>> },
        });
        show(run.id);
      }}
    >
      <SegmentedControl
        size="xs"
        aria-label="Data"
        data={[
          { value: 'current', label: 'the data as it is known' },
          { value: 'latest', label: 'look for newer data' },
        ]}
        value={mode}
        onChange={(value) => setMode(value as Mode)}
      />
      {known.length > 0 && (
        <fieldset className={classes['params']}>
          <legend>Parameters of this run; empty is as applied</legend>
          {known.map((name) => (
            <TextInput
              key={name}
              size="xs"
              label={<bdi>{name}</bdi>}
              placeholder={JSON.stringify(applied.data?.file.params[name])}
              value={typed[name] ?? ''}
              onChange={(event) => setTyped({ ...typed, [name]: event.currentTarget.value })}
            />
          ))}
        </fieldset>
      )}
    </ConfirmDialog>
  );
}

function Consequence({
  pipeline,
  mode,
  isDraft,
}: {
  readonly pipeline: string;
  readonly mode: Mode;
  readonly isDraft: boolean;
}) {
  return (
    <>
      <p>
        The applied file of {pipeline} runs
        {mode === 'latest' ? ' on what the sources hold now' : ''}; steps whose inputs did not change are taken from the
        cache.
      </p>
      <p>
        A version that passes the gate is approved and rolled out by the rules of that file. What is live goes on
        answering meanwhile.
      </p>
      {isDraft && <p>The run before was a draft: its own file and code are not run again, the applied ones are.</p>}
    </>
  );
}

/** JSON where it is (`3`, `true`, `[1]`), else text: as `levain run --param` reads it. */
function toValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
