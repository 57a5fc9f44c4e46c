import { Autocomplete, Group, Select, TextInput } from '@mantine/core';
import { useGet } from '../../../api/queries.ts';
import type { BodyOf } from '../../../api/routes.ts';
import type { ModelStatus } from '../../../domain/model-facts.tsx';

type Body = BodyOf<'POST /rehearsals'>;
type Kind = Body['kind'];
type Option = 'column' | 'factor' | 'share' | 'amount' | 'fault' | 'rows';

/** As typed. */
export type Options = Readonly<Partial<Record<Option, string>>>;

interface Rehearsal {
  readonly kind: Kind;
  readonly says: string;
  readonly takes: readonly Option[];
}

/** The seven that there are, with what each does. */
export const REHEARSALS: readonly Rehearsal[] = [
  {
    kind: 'unit-change',
    says: 'a column arrives in another unit, such as miles in kilometres',
    takes: ['column', 'factor', 'share', 'rows'],
  },
  { kind: 'nulls', says: 'values of a column are missing', takes: ['column', 'share', 'rows'] },
  { kind: 'shift', says: 'a numeric column drifts away', takes: ['column', 'amount', 'share', 'rows'] },
  {
    kind: 'new-category',
    says: 'a text column holds a category that was never seen',
    takes: ['column', 'share', 'rows'],
  },
  {
    kind: 'broken-model',
    says: 'a version that answers a constant, or fails, is rolled out to tagged requests',
    takes: ['fault', 'share', 'rows'],
  },
  {
    kind: 'slow-model',
    says: 'a version that answers late is rolled out to tagged requests',
    takes: ['amount', 'rows'],
  },
  { kind: 'late-labels', says: 'labels stop coming', takes: ['rows'] },
];

export const kindOf = (text: string): Kind => REHEARSALS.find(({ kind }) => kind === text)?.kind ?? 'unit-change';

const takenBy = (kind: Kind): readonly Option[] => REHEARSALS.find((each) => each.kind === kind)!.takes;

interface Words {
  readonly label: string;
  readonly placeholder: string;
}

function wordsOf(option: Option, kind: Kind, fault: string | undefined): Words {
  switch (option) {
    case 'column':
      return { label: 'Raw column', placeholder: 'the most important one that fits' };
    case 'factor':
      return { label: 'Multiplied by', placeholder: '1.609344' };
    case 'amount':
      return kind === 'slow-model'
        ? { label: 'Milliseconds later', placeholder: 'six times what it takes now' }
        : { label: 'Standard deviations', placeholder: '1' };
    case 'rows':
      return { label: 'Rows', placeholder: 'the last day that was logged' };
    case 'fault':
      return { label: 'The version', placeholder: '' };
    case 'share':
      if (kind === 'broken-model')
        return fault === 'errors'
          ? { label: 'Share of the rows that fail (0 to 1)', placeholder: '0.3' }
          : { label: 'Constant answer (0 to 1)', placeholder: 'one that most answers differ from' };
      return {
        label: 'Share of the rows (0 to 1)',
        placeholder: kind === 'nulls' || kind === 'new-category' ? '0.3' : '1',
      };
  }
}

interface FieldsProps {
  readonly model: ModelStatus;
  readonly kind: Kind;
  readonly options: Options;
  readonly onChange: (options: Options) => void;
}

export function OptionFields({ model, kind, options, onChange }: FieldsProps) {
  return (
    <Group gap="xs" align="flex-end">
      {takenBy(kind).map((option) => {
        const words = wordsOf(option, kind, options.fault);
        const value = options[option] ?? '';
        const set = (next: string): void => onChange({ ...options, [option]: next });
        if (option === 'column')
          return <Column key={option} model={model} words={words} value={value} onChange={set} />;
        if (option === 'fault') return <Fault key={option} words={words} value={value} onChange={set} />;
        return (
          <TextInput
            key={option}
            size="xs"
            w={210}
            {...words}
            inputMode="decimal"
            value={value}
            onChange={(event) => set(event.currentTarget.value)}
          />
        );
      })}
    </Group>
  );
}

interface FieldProps {
  readonly words: Words;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Column({ model, words, value, onChange }: FieldProps & { readonly model: ModelStatus }) {
  const { data } = useGet(
    'GET /models/:model/versions/:version',
    { params: { model: model.name, version: model.version ?? 'champion' } },
    { enabled: model.version !== null },
  );
  const columns = (data?.signature?.inputs ?? []).map(({ name }) => name);
  return <Autocomplete size="xs" w={210} {...words} data={columns} value={value} onChange={onChange} />;
}

function Fault({ words, value, onChange }: FieldProps) {
  return (
    <Select
      size="xs"
      w={210}
      label={words.label}
      allowDeselect={false}
      data={[
        { value: 'constant', label: 'always answers the same' },
        { value: 'errors', label: 'fails on some rows' },
      ]}
      value={value || 'constant'}
      onChange={(next) => onChange(next ?? 'constant')}
    />
  );
}

/** What the server takes, or what is wrong with what was typed; it checks the rest. */
export function toBody(
  model: ModelStatus,
  kind: Kind,
  options: Options,
): { readonly body: Body; readonly problem?: string } {
  const body: Record<string, unknown> = {
    kind,
    model: model.name,
    ...(model.endpoint && { endpoint: model.endpoint }),
  };
  for (const option of takenBy(kind)) {
    const text = options[option]?.trim() ?? '';
    if (text === '') continue;
    if (option === 'column' || option === 'fault') body[option] = text;
    else {
      const value = Number(text.replace(',', '.'));
      const { label } = wordsOf(option, kind, options.fault);
      if (!isFine(option, value))
        return { body: body as unknown as Body, problem: `${label}: ${RANGES[option]}; got ${text}.` };
      body[option] = value;
    }
  }
  return { body: body as unknown as Body };
}

const RANGES: Readonly<Record<Exclude<Option, 'column' | 'fault'>, string>> = {
  factor: 'a number above 0',
  share: 'a number from 0 to 1',
  amount: 'a number',
  rows: 'a whole number from 1 to 20,000',
};

function isFine(option: Exclude<Option, 'column' | 'fault'>, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  if (option === 'factor') return value > 0;
  if (option === 'share') return value >= 0 && value <= 1;
  return option === 'amount' || (Number.isInteger(value) && value >= 1 && value <= 20_000);
}
