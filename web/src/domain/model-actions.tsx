import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { call } from '../api/client.ts';
import { useChange, useGet } from '../api/queries.ts';
import { Confirm, Refusal } from '../ui/confirm.tsx';

/** No retraining and no promotion until somebody resumes. */
export function Hold({ model }: { readonly model: string }) {
  const hold = useChange('POST /models/:model/hold');
  return (
    <Confirm
      verb="Hold"
      title={`Hold ${model}`}
      reason="needed"
      consequence={`No retraining and no promotion of ${model} until it is resumed. What is live goes on answering.`}
      act={(reason) => hold.mutateAsync({ params: { model }, body: { reason } })}
    />
  );
}

interface ResumeProps {
  readonly model: string;
  /** Why it is held. */
  readonly held?: string | null;
  readonly primary?: boolean;
}

export function Resume({ model, held, primary = true }: ResumeProps) {
  const resume = useChange('POST /models/:model/resume');
  return (
    <Confirm
      verb="Resume"
      title={`Resume ${model}`}
      primary={primary}
      consequence={
        <>
          <p>
            {model} is HELD{held ? `: ${held}` : ''}.
          </p>
          <p>Retraining and promotion are allowed again. What is live does not change.</p>
        </>
      }
      act={() => resume.mutateAsync({ params: { model } })}
    />
  );
}

/** The pipeline's applied file, on the newest data. */
export function Retrain({ pipeline }: { readonly pipeline: string }) {
  const run = useChange('POST /pipelines/:name/runs');
  return (
    <Confirm
      verb="Retrain"
      title={`Retrain ${pipeline}`}
      consequence={
        <>
          <p>The pipeline {pipeline} runs on its newest data, as the applied file says.</p>
          <p>
            A version that passes the gate is approved and rolled out by the rules of that file. What is live goes on
            answering meanwhile.
          </p>
        </>
      }
      act={() => run.mutateAsync({ params: { name: pipeline }, body: { dataMode: 'latest' } })}
    />
  );
}

interface RerunProps {
  readonly pipeline: string;
  readonly draft?: boolean;
  readonly primary?: boolean;
}

/** The applied file once more: steps that did not change come from before. */
export function Rerun({ pipeline, draft = false, primary = false }: RerunProps) {
  const run = useChange('POST /pipelines/:name/runs');
  return (
    <Confirm
      verb="Run again"
      title={`Run ${pipeline} again`}
      primary={primary}
      consequence={
        <>
          <p>The pipeline {pipeline} runs with the applied file; steps that did not change are taken from before.</p>
          {draft && <p>The run that failed was a draft: its file is not the applied one and is not run again.</p>}
        </>
      }
      act={() => run.mutateAsync({ params: { name: pipeline }, body: {} })}
    />
  );
}

/** Back to the version before, with how many answers would differ, and what it does not undo. */
export function RollBack({ endpoint }: { readonly endpoint: string }) {
  const back = useChange('POST /rollbacks');
  return (
    <Confirm
      verb="Roll back"
      title={`Roll back ${endpoint}`}
      danger
      reason="optional"
      consequence={<RollbackPreview endpoint={endpoint} />}
      act={(reason) => back.mutateAsync({ body: { name: endpoint, ...(reason !== '' && { reason }) } })}
    />
  );
}

/** What the server says would happen; the last requests are scored again for it. */
function RollbackPreview({ endpoint }: { readonly endpoint: string }) {
  const { data, error } = useQuery({
    queryKey: ['a rollback as it would be', endpoint],
    queryFn: () => call('POST /rollbacks', { body: { name: endpoint, dryRun: true } }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  if (error) return <Refusal error={error} />;
  if (data) return <p>{data.sentence}</p>;
  return (
    <>
      <p className="muted">Comparing the answers of both versions on the last requests …</p>
      <Skeleton height={54} mt={6} />
    </>
  );
}

/** A constant instead of the model, until it is switched off. */
export function Fallback({ endpoint }: { readonly endpoint: string }) {
  const shown = useGet('GET /endpoints/:name', { params: { name: endpoint } });
  const set = useChange('PUT /endpoints/:name/fallback');
  if (!shown.data) return null;
  const { fallback, champion } = shown.data;
  const verb = fallback.active ? 'Fallback off' : 'Fallback on';
  const version = champion === null ? 'no version' : `v${champion}`;
  return (
    <Confirm
      verb={verb}
      title={`${verb}: ${endpoint}`}
      danger={!fallback.active}
      consequence={
        fallback.active ? (
          `${endpoint} answers with ${version} again, within seconds.`
        ) : (
          <>
            <p>
              Every request to {endpoint} is answered by the fallback ({fallbackWords(fallback.value)}) within seconds,
              until it is switched off.
            </p>
            <p>The model stays loaded; predictions, labels and data are kept.</p>
          </>
        )
      }
      act={() => set.mutateAsync({ params: { name: endpoint }, body: { active: !fallback.active } })}
    />
  );
}

type FallbackValue = { readonly kind: string; readonly version?: number; readonly value?: unknown } | null;

function fallbackWords(value: FallbackValue): string {
  if (value === null) return 'as the applied file says, else the base rate of the training data';
  if (value.kind === 'version') return `v${value.version}`;
  return value.kind === 'constant' ? `always ${String(value.value)}` : 'the base rate of the training data';
}
