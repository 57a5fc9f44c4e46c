import { Checkbox, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useChange } from '../../../api/queries.ts';
import type { BodyOf } from '../../../api/routes.ts';
import type { ModelStatus } from '../../../domain/model-facts.tsx';
import { placeOfRun } from '../../../domain/places.ts';
import { ConfirmDialog, type Opened } from '../../../ui/confirm.tsx';
import { useGo } from '../../../ui/link.tsx';
import { type AppliedFile, useApplied } from '../applied.ts';

type Json = AppliedFile['params'][string];
type Params = NonNullable<BodyOf<'POST /pipelines/:name/runs'>['params']>;

/** The applied pipeline on the newest data, with parameters for this once; then its run is shown. */
export function Retrain({ model, opened }: { readonly model: ModelStatus; readonly opened: Opened }) {
  const run = useChange('POST /pipelines/:name/runs');
  const file = useApplied(model.name);
  const go = useGo();
  const [isLatest, setLatest] = useState(true);
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({});
  const params = changedParams(file?.params ?? {}, texts);
  return (
    <ConfirmDialog
      {...opened}
      verb="Retrain"
      title={`Retrain ${model.name}`}
      size="lg"
      consequence={<Consequence model={model} file={file} isLatest={isLatest} />}
      act={async () => {
        const started = await run.mutateAsync({
          params: { name: model.name },
          body: { dataMode: isLatest ? 'latest' : 'current', params },
        });
        // After the dialog has taken itself out of the address.
        setTimeout(() => go(placeOfRun(model.name, started.id)));
      }}
    >
      <Checkbox
        label="Newest data: look at the sources again"
        checked={isLatest}
        onChange={(event) => setLatest(event.currentTarget.checked)}
      />
      <ParamFields known={file?.params ?? {}} texts={texts} onChange={setTexts} />
    </ConfirmDialog>
  );
}

interface ConsequenceProps {
  readonly model: ModelStatus;
  readonly file: AppliedFile | undefined;
  readonly isLatest: boolean;
}

function Consequence({ model, file, isLatest }: ConsequenceProps) {
  const asks = file?.model?.approve.retrain === 'human' || model.hold !== null;
  return (
    <>
      <p>
        The pipeline {model.name} runs with the applied file on {isLatest ? 'its newest data' : 'the data that it has'}.
        Steps that did not change are taken from before.
      </p>
      <p>
        A version that passes the gate {asks ? 'waits for an approval' : 'is approved and rolled out as the file says'}.
        {model.hold !== null && ` ${model.name} is HELD: nothing is promoted until resume.`} What is live goes on
        answering meanwhile.
      </p>
    </>
  );
}

interface ParamsProps {
  readonly known: Readonly<Record<string, Json>>;
  readonly texts: Readonly<Record<string, string>>;
  readonly onChange: (texts: Readonly<Record<string, string>>) => void;
}

function ParamFields({ known, texts, onChange }: ParamsProps) {
  const names = Object.keys(known);
  if (names.length === 0) return null;
  return (
    <Stack gap={6} style={{ maxHeight: 260, overflowY: 'auto' }}>
      {names.map((name) => (
        <TextInput
          key={name}
          size="xs"
          label={name}
          value={texts[name] ?? toText(known[name]!)}
          description={
            isChanged(known[name]!, texts[name]) ? `for this run; the file says ${toText(known[name]!)}` : undefined
          }
          onChange={(event) => onChange({ ...texts, [name]: event.currentTarget.value })}
        />
      ))}
    </Stack>
  );
}

const toText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

const isChanged = (before: Json, text: string | undefined): boolean => text !== undefined && text !== toText(before);

/** A text stays a text where the file has one; else what is typed is read as JSON, as the command line does. */
function changedParams(known: Readonly<Record<string, Json>>, texts: Readonly<Record<string, string>>): Params {
  const changed = Object.entries(texts).filter(([name, text]) => isChanged(known[name]!, text));
  return Object.fromEntries(
    changed.map(([name, text]) => [name, typeof known[name] === 'string' ? text : parse(text)]),
  );
}

function parse(text: string): Params[string] {
  try {
    return JSON.parse(text) as Params[string];
  } catch {
    return text;
  }
}
