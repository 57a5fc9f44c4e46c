import { Group, Select, TextInput } from '@mantine/core';
import type { BodyOf } from '../../../api/routes.ts';
import { duration, percent } from '../../../ui/format.ts';
import { type AppliedFile, useApplied } from '../applied.ts';

type Rollout = NonNullable<BodyOf<'POST /deployments'>['rollout']>;

/** As it is typed. */
export interface RolloutText {
  readonly kind: 'file' | Rollout['kind'];
  readonly steps: string;
  readonly hours: string;
}

interface ChoiceProps {
  readonly model: string;
  readonly endpoint: string;
  readonly value: RolloutText;
  readonly onChange: (value: RolloutText) => void;
  readonly problem: string | undefined;
}

const KINDS = [
  { value: 'auto', label: 'auto: replay, shadow, then shares that end on evidence' },
  { value: 'canary', label: 'canary: shares that you name' },
  { value: 'blue_green', label: 'blue/green: replay, then all traffic at once, bake' },
  { value: 'direct', label: 'direct: all traffic at once' },
];

/** How a version takes over: as the applied file says, or otherwise this once. */
export function RolloutChoice({ model, endpoint, value, onChange, problem }: ChoiceProps) {
  const file = useApplied(model);
  return (
    <Group gap="xs" align="flex-start" grow preventGrowOverflow={false}>
      <Select
        size="xs"
        label="Rollout"
        allowDeselect={false}
        data={[{ value: 'file', label: `as the applied file says${ofFile(file, endpoint || model)}` }, ...KINDS]}
        value={value.kind}
        onChange={(kind) => onChange({ ...value, kind: (kind ?? 'file') as RolloutText['kind'] })}
      />
      {value.kind === 'auto' && (
        <TextInput
          size="xs"
          label="Pause after (hours)"
          error={problem}
          inputMode="decimal"
          value={value.hours}
          onChange={(event) => onChange({ ...value, hours: event.currentTarget.value })}
        />
      )}
      {value.kind === 'canary' && (
        <TextInput
          size="xs"
          label="Shares in %"
          error={problem}
          value={value.steps}
          onChange={(event) => onChange({ ...value, steps: event.currentTarget.value })}
        />
      )}
    </Group>
  );
}

function ofFile(file: AppliedFile | undefined, endpoint: string): string {
  const rollout = file?.deploy[endpoint]?.rollout;
  if (!rollout) return ' (auto)';
  if (rollout.kind === 'auto') return ` (auto, pauses after ${duration(rollout.atMostMs)})`;
  return rollout.kind === 'canary'
    ? ` (canary ${rollout.steps.map(percent).join(', ')})`
    : ` (${rollout.kind.replace('_', '/')})`;
}

/** What the server takes, or what is wrong with what was typed. */
export function parseRollout(text: RolloutText): { readonly rollout?: Rollout; readonly problem?: string } {
  if (text.kind === 'file') return {};
  if (text.kind === 'direct' || text.kind === 'blue_green') return { rollout: { kind: text.kind } };
  if (text.kind === 'auto') {
    const hours = Number(text.hours.replace(',', '.'));
    return hours > 0
      ? { rollout: { kind: 'auto', atMostMs: hours * 3_600_000 } }
      : { problem: 'a number of hours above 0' };
  }
  const steps = text.steps
    .split(/[,;\s]+/)
    .filter((part) => part !== '' && part !== '%')
    .map((part) => Number.parseFloat(part) / 100);
  const isRising = steps.every((share, i) => share > 0 && share < 1 && (i === 0 || share > steps[i - 1]!));
  return steps.length > 0 && isRising
    ? { rollout: { kind: 'canary', steps } }
    : { problem: 'shares that rise between 0 and 100, such as 5, 25, 50' };
}
