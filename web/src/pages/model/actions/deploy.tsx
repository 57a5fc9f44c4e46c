import { Autocomplete, Checkbox, Select, Skeleton, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useChange, useGet } from '../../../api/queries.ts';
import type { AnswerOf, BodyOf } from '../../../api/routes.ts';
import type { ModelStatus } from '../../../domain/model-facts.tsx';
import { usePlan } from '../../../domain/plan.ts';
import { ConfirmDialog, type Opened, Refusal } from '../../../ui/confirm.tsx';
import { useViewState } from '../../../ui/view-state.ts';
import { endpointsOf, useApplied } from '../applied.ts';
import { parseRollout, RolloutChoice, type RolloutText } from './rollout-choice.tsx';

type Version = AnswerOf<'GET /models/:model/versions'>['items'][number];
type Body = BodyOf<'POST /deployments'>;

/** Puts a version behind an endpoint. The plan is the server's, asked again at every choice. */
export function Deploy({ model, opened }: { readonly model: ModelStatus; readonly opened: Opened }) {
  const deploy = useChange('POST /deployments');
  const versions = useGet('GET /models/:model/versions', { params: { model: model.name } });
  const [asked, ask] = useViewState('deploy');
  const [endpoint, setEndpoint] = useState(model.endpoint ?? '');
  const [rollout, setRollout] = useState<RolloutText>({ kind: 'file', steps: '5, 25, 50', hours: '24' });
  const [lifts, setLifts] = useState(false);
  const usable = (versions.data?.items ?? []).filter(isDeployable);
  const version = asked || String(usable.find((each) => each.version !== model.version)?.version ?? '');
  const parsed = parseRollout(rollout);
  const body: Body = {
    model: model.name,
    ...(version !== '' && { version: Number(version) }),
    ...(endpoint.trim() !== '' && { endpoint: endpoint.trim() }),
    ...(parsed.rollout && { rollout: parsed.rollout }),
  };
  const canPlan = opened.isOpen && versions.data !== undefined && parsed.problem === undefined;
  const { plan, error, isPlanning } = usePlan(
    'POST /deployments',
    { body: { ...body, dryRun: true } },
    { enabled: canPlan },
  );
  const isHeld = plan?.held != null;
  return (
    <ConfirmDialog
      {...opened}
      onClose={() => {
        opened.onClose();
      }}
      verb="Deploy"
      title={`Deploy ${model.name}${version === '' ? '' : `@v${version}`}`}
      size="lg"
      blocked={!plan || isPlanning || (isHeld && !lifts)}
      consequence={<PlanWords plan={plan} error={error} isPlanning={isPlanning} />}
      act={async () => deploy.mutateAsync({ body: { ...body, resume: isHeld && lifts } })}
    >
      <VersionSelect model={model} versions={versions.data?.items ?? []} value={version} onChange={ask} />
      <EndpointField model={model.name} value={endpoint} onChange={setEndpoint} />
      <RolloutChoice
        model={model.name}
        endpoint={endpoint}
        value={rollout}
        onChange={setRollout}
        problem={parsed.problem}
      />
      {isHeld && (
        <Checkbox
          label={`Lift the hold of ${model.name} (${plan.held})`}
          checked={lifts}
          onChange={(event) => setLifts(event.currentTarget.checked)}
        />
      )}
    </ConfirmDialog>
  );
}

const isDeployable = ({ approval, draft, rehearsal }: Version): boolean =>
  approval === 'approved' && !draft && rehearsal === null;

function PlanWords({
  plan,
  error,
  isPlanning,
}: Pick<ReturnType<typeof usePlan<'POST /deployments'>>, 'plan' | 'error' | 'isPlanning'>) {
  if (error) return <Refusal error={error} />;
  if (!plan) return isPlanning ? <Skeleton height={38} /> : <p className="muted">Choose what is deployed.</p>;
  return (
    <>
      <p>
        {plan.model}@v{plan.version} {plan.sentence}.
      </p>
      <p>
        {plan.fromVersion === null
          ? 'It answers as soon as a gateway has loaded it.'
          : `v${plan.fromVersion} answers until the evidence is there, and stays warm for a rollback. Nothing is deleted.`}
      </p>
    </>
  );
}

interface FieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function VersionSelect({
  model,
  versions,
  value,
  onChange,
}: FieldProps & { readonly model: ModelStatus; readonly versions: readonly Version[] }) {
  const real = versions.filter(({ rehearsal }) => rehearsal === null);
  return (
    <Select
      size="xs"
      label="Version"
      searchable={real.length > 12}
      allowDeselect={false}
      data={real.map((each) => ({
        value: String(each.version),
        label: `v${each.version} · ${wordsOf(each, model)}`,
        disabled: !isDeployable(each) || each.version === model.version,
      }))}
      value={value === '' ? null : value}
      onChange={(next) => onChange(next ?? '')}
    />
  );
}

function wordsOf({ version, approval, draft, gate }: Version, model: ModelStatus): string {
  if (version === model.version) return 'answers now';
  if (draft) return 'a draft: never deployed';
  if (approval !== 'approved')
    return `${approval.replace('_', ' ')}${gate ? `, gate ${gate.outcome.replace('_', ' ')}` : ''}`;
  return `approved${gate ? `, gate ${gate.outcome.replace('_', ' ')}` : ''}`;
}

/** An endpoint that is there, one of the file, or a new one. */
function EndpointField({ model, value, onChange }: FieldProps & { readonly model: string }) {
  const file = useApplied(model);
  const { data } = useGet('GET /endpoints');
  const own = (data?.items ?? []).filter((each) => each.model === model).map(({ name }) => name);
  const known = [...new Set([...endpointsOf(file), ...own])];
  return known.length === 0 ? (
    <TextInput
      size="xs"
      label="Endpoint"
      placeholder={model}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  ) : (
    <Autocomplete
      size="xs"
      label="Endpoint"
      description="Part of the URL that answers; a new name makes a new endpoint."
      placeholder={model}
      data={known}
      value={value}
      onChange={onChange}
    />
  );
}
