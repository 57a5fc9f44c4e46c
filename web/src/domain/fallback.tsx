import { Radio, Select, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useChange, useGet } from '../api/queries.ts';
import type { BodyOf } from '../api/routes.ts';
import { Action, type Opened } from '../ui/confirm.tsx';

type Setting = NonNullable<BodyOf<'PUT /endpoints/:name/fallback'>['setting']>;
type Choice = 'kept' | Setting['kind'];

/** Another answer instead of the model's, until it is switched off. */
export function Fallback({ endpoint, opened }: { readonly endpoint: string; readonly opened?: Opened }) {
  const shown = useGet('GET /endpoints/:name', { params: { name: endpoint } });
  const set = useChange('PUT /endpoints/:name/fallback');
  if (!shown.data) return null;
  const { fallback, champion, model } = shown.data;
  const version = champion === null ? 'no version' : `v${champion}`;
  if (!fallback.active)
    return <SwitchOn endpoint={endpoint} model={model} champion={champion} kept={fallback.value} opened={opened} />;
  return (
    <Action
      verb="Fallback off"
      title={`Fallback off: ${endpoint}`}
      opened={opened}
      consequence={`${endpoint} answers with ${version} again, within seconds.`}
      act={() => set.mutateAsync({ params: { name: endpoint }, body: { active: false } })}
    />
  );
}

interface SwitchOnProps {
  readonly endpoint: string;
  readonly model: string;
  readonly champion: number | null;
  readonly kept: Setting | null;
  readonly opened: Opened | undefined;
}

function SwitchOn({ endpoint, model, champion, kept, opened }: SwitchOnProps) {
  const set = useChange('PUT /endpoints/:name/fallback');
  const [choice, setChoice] = useState<Choice>('kept');
  const [version, setVersion] = useState('');
  const [value, setValue] = useState('');
  const setting = toSetting(choice, version, value);
  return (
    <Action
      verb="Fallback on"
      title={`Fallback on: ${endpoint}`}
      danger
      size="lg"
      opened={opened}
      blocked={setting === undefined}
      consequence={
        <>
          <p>
            Every request to {endpoint} is answered by {wordsOf(setting ?? null, kept)} within seconds, until it is
            switched off.
          </p>
          <p>The model stays loaded; predictions, labels and data are kept.</p>
        </>
      }
      act={() => set.mutateAsync({ params: { name: endpoint }, body: { active: true, ...(setting && { setting }) } })}
    >
      <Radio.Group label="What answers" value={choice} onChange={(next) => setChoice(next as Choice)}>
        <Stack gap={6} mt={6}>
          <Radio
            value="kept"
            label={kept ? `as set before: ${wordsOf(null, kept)}` : 'as the applied file says, else the base rate'}
          />
          <Radio value="base_rate" label="the base rate of the champion’s training data" />
          <Radio value="version" label="another version" />
          {choice === 'version' && (
            <VersionSelect model={model} champion={champion} value={version} onChange={setVersion} />
          )}
          <Radio value="constant" label="a constant" />
          {choice === 'constant' && (
            <TextInput
              size="xs"
              label="Constant"
              description="A probability from 0 to 1, a class of the model, or a number for a regression."
              value={value}
              onChange={(event) => setValue(event.currentTarget.value)}
            />
          )}
        </Stack>
      </Radio.Group>
    </Action>
  );
}

interface VersionSelectProps {
  readonly model: string;
  readonly champion: number | null;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function VersionSelect({ model, champion, value, onChange }: VersionSelectProps) {
  const { data } = useGet('GET /models/:model/versions', { params: { model } });
  const usable = (data?.items ?? []).filter(
    ({ version, rehearsal, signature }) => version !== champion && rehearsal === null && signature !== null,
  );
  return (
    <Select
      size="xs"
      label="Version"
      data={usable.map(({ version, approval }) => ({
        value: String(version),
        label: `v${version} (${approval.replace('_', ' ')})`,
      }))}
      value={value === '' ? null : value}
      onChange={(next) => onChange(next ?? '')}
    />
  );
}

/** Undefined where something is still missing; null where what was set before stands. */
function toSetting(choice: Choice, version: string, value: string): Setting | null | undefined {
  if (choice === 'kept') return null;
  if (choice === 'base_rate') return { kind: 'base_rate' };
  if (choice === 'version') return version === '' ? undefined : { kind: 'version', version: Number(version) };
  const text = value.trim();
  if (text === '') return undefined;
  return { kind: 'constant', value: Number.isNaN(Number(text)) ? text : Number(text) };
}

function wordsOf(setting: Setting | null, kept: Setting | null): string {
  const chosen = setting ?? kept;
  if (chosen === null) return 'what the applied file says, else the base rate of the training data';
  if (chosen.kind === 'version') return `v${chosen.version}`;
  return chosen.kind === 'constant' ? `the constant ${String(chosen.value)}` : 'the base rate of the training data';
}
