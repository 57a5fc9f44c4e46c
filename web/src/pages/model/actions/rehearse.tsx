import { Radio, Skeleton, Stack } from '@mantine/core';
import { useState } from 'react';
import { useChange } from '../../../api/queries.ts';
import type { ModelStatus } from '../../../domain/model-facts.tsx';
import { usePlan } from '../../../domain/plan.ts';
import { ConfirmDialog, type Opened, Refusal } from '../../../ui/confirm.tsx';
import { useViewState } from '../../../ui/view-state.ts';
import { EarlierRehearsals, RehearsalDialog } from './rehearsal.tsx';
import { kindOf, OptionFields, type Options, REHEARSALS, toBody } from './rehearsal-kinds.tsx';

/** A failure on one's own model, marked as such: which, with what, and what it would do; then how it went. */
export function Rehearse({ model, opened }: { readonly model: ModelStatus; readonly opened: Opened }) {
  const [id, setId] = useViewState('rehearsal');
  return id === '' ? (
    <Begin model={model} opened={opened} onStarted={setId} />
  ) : (
    <RehearsalDialog id={id} model={model} opened={opened} onBack={() => setId('')} />
  );
}

interface BeginProps {
  readonly model: ModelStatus;
  readonly opened: Opened;
  readonly onStarted: (id: string) => void;
}

function Begin({ model, opened, onStarted }: BeginProps) {
  const start = useChange('POST /rehearsals');
  const [kind, setKind] = useViewState('kind', 'unit-change');
  const [options, setOptions] = useState<Options>({});
  const { body, problem } = toBody(model, kindOf(kind), options);
  const { plan, error, isPlanning } = usePlan(
    'POST /rehearsals',
    { body: { ...body, dryRun: true } },
    { enabled: opened.isOpen && problem === undefined },
  );
  return (
    <ConfirmDialog
      {...opened}
      staysOpen
      verb="Rehearse"
      title={`Rehearse a failure of ${model.name}`}
      size="xl"
      blocked={!plan || isPlanning}
      consequence="Would you notice? The failure is done to your own model, tagged REHEARSAL, apart from real traffic."
      act={async () => onStarted((await start.mutateAsync({ body })).id)}
    >
      <Radio.Group label="What goes wrong" value={kindOf(kind)} onChange={setKind}>
        <Stack gap={6} mt={6}>
          {REHEARSALS.map((each) => (
            <Radio
              key={each.kind}
              size="xs"
              value={each.kind}
              label={
                <>
                  <strong>{each.kind}</strong> <span className="muted">{each.says}</span>
                </>
              }
            />
          ))}
        </Stack>
      </Radio.Group>
      <OptionFields model={model} kind={kindOf(kind)} options={options} onChange={setOptions} />
      <div style={{ minHeight: 58 }}>
        {problem && <p style={{ color: 'var(--bad)' }}>{problem}</p>}
        {!problem && error && <Refusal error={error} />}
        {!problem && plan && (
          <p>
            <strong>REHEARSAL</strong> {plan.report.sentence}
          </p>
        )}
        {!problem && !plan && !error && <Skeleton height={38} />}
      </div>
      <EarlierRehearsals model={model} onOpen={onStarted} />
    </ConfirmDialog>
  );
}
