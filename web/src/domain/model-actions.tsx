import { Skeleton } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useChange } from '../api/queries.ts';
import { Action, Confirm, type Opened, Refusal } from '../ui/confirm.tsx';
import { usePlan } from './plan.ts';

/** No retraining and no promotion until somebody resumes. */
export function Hold({ model, opened }: { readonly model: string; readonly opened?: Opened }) {
  const hold = useChange('POST /models/:model/hold');
  return (
    <Action
      opened={opened}
      verb="Hold"
      title={`Hold ${model}`}
      reason="needed"
      consequence={`No retraining and no promotion of ${model} until resume: triggers start no run, a rollout under way stops before 100 %. What is live goes on answering; nothing is deleted.`}
      act={(reason) => hold.mutateAsync({ params: { model }, body: { reason } })}
    />
  );
}

interface ResumeProps {
  readonly model: string;
  /** Why it is held. */
  readonly held?: string | null;
  readonly primary?: boolean;
  readonly opened?: Opened;
}

export function Resume({ model, held, primary = true, opened }: ResumeProps) {
  const resume = useChange('POST /models/:model/resume');
  return (
    <Action
      opened={opened}
      verb="Resume"
      title={`Resume ${model}`}
      primary={primary}
      consequence={
        <>
          <p>
            {model} is HELD{held ? `: ${held}` : ''}.
          </p>
          <p>
            Retraining and promotion are allowed again. What is live does not change; a version that was approved
            meanwhile is not rolled out by itself.
          </p>
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
export function RollBack({ endpoint, opened }: { readonly endpoint: string; readonly opened?: Opened }) {
  const back = useChange('POST /rollbacks');
  // A dialog that is closed has nothing to compare.
  const plan = useRef<{ readonly from: number } | undefined>(undefined);
  const [isReady, setReady] = useState(false);
  return (
    <Action
      verb="Roll back"
      title={`Roll back ${endpoint}`}
      danger
      reason="optional"
      opened={opened}
      blocked={!isReady}
      consequence={
        <RollbackPreview
          endpoint={endpoint}
          onPlan={(next) => {
            plan.current = next;
            setReady(next !== undefined);
          }}
        />
      }
      act={(reason) =>
        back.mutateAsync({
          body: { name: endpoint, ...(plan.current && { from: plan.current.from }), ...(reason !== '' && { reason }) },
        })
      }
    />
  );
}

interface PreviewProps {
  readonly endpoint: string;
  readonly onPlan: (plan: { readonly from: number } | undefined) => void;
}

/** What the server says would happen; the last requests are scored again for it. */
function RollbackPreview({ endpoint, onPlan }: PreviewProps) {
  const { plan, error, isPlanning } = usePlan('POST /rollbacks', { body: { name: endpoint, dryRun: true } });
  const settled = isPlanning ? undefined : plan;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the plan is what is told
  useEffect(() => {
    onPlan(settled);
    return () => onPlan(undefined);
  }, [settled]);
  if (error) return <Refusal error={error} />;
  if (plan) return <p>{plan.sentence}</p>;
  return (
    <>
      <p className="muted">Comparing the answers of both versions on the last requests …</p>
      <Skeleton height={54} mt={6} />
    </>
  );
}
