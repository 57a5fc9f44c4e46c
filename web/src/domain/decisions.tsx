import { Skeleton } from '@mantine/core';
import { useChange, useGet } from '../api/queries.ts';
import { Action, Confirm, type Opened, Refusal } from '../ui/confirm.tsx';

interface DecisionProps {
  readonly model: string;
  readonly version: number;
  readonly opened?: Opened;
}

/** Approving says what one approves, in the server's words. */
export function Approve({ model, version, opened }: DecisionProps) {
  const approve = useChange('POST /models/:model/versions/:version/approve');
  const params = { model, version };
  return (
    <Action
      opened={opened}
      verb="Approve"
      title={`Approve ${model}@v${version}`}
      primary
      reason="optional"
      consequence={
        <>
          <ApprovalSentence model={model} version={version} />
          <p>It is then rolled out as the applied file says. The champion answers until the evidence is there.</p>
        </>
      }
      act={(reason) => approve.mutateAsync({ params, body: reason === '' ? {} : { reason } })}
    />
  );
}

export function Reject({ model, version, opened }: DecisionProps) {
  const reject = useChange('POST /models/:model/versions/:version/reject');
  return (
    <Action
      opened={opened}
      verb="Reject"
      title={`Reject ${model}@v${version}`}
      reason="needed"
      consequence={`${model}@v${version} will not be rolled out. The champion stays; nothing is deleted.`}
      act={(reason) => reject.mutateAsync({ params: { model, version }, body: { reason } })}
    />
  );
}

/** `You approve v8: model …, data …, env …; log loss …`. */
export function ApprovalSentence({ model, version }: { readonly model: string; readonly version: number }) {
  const { data, error } = useGet('GET /models/:model/versions/:version/approval', { params: { model, version } });
  if (data) return <p>{data.sentence}</p>;
  return error ? <Refusal error={error} /> : <Skeleton height={36} />;
}

interface IncidentProps {
  readonly number: number;
  readonly primary?: boolean;
}

export function Acknowledge({ number, primary = false }: IncidentProps) {
  const acknowledge = useChange('POST /incidents/:number/ack');
  return (
    <Confirm
      verb="Acknowledge"
      title={`Acknowledge incident ${number}`}
      primary={primary}
      consequence="You say that you look at it, and nobody else is called. It stays open; what the server does by itself does not change."
      act={() => acknowledge.mutateAsync({ params: { number } })}
    />
  );
}

interface ResolveProps {
  readonly number: number;
  /** How it was resolved meanwhile. */
  readonly overtaken?: string | undefined;
}

export function Resolve({ number, overtaken }: ResolveProps) {
  const resolve = useChange('POST /incidents/:number/resolve');
  return (
    <Confirm
      verb="Resolve"
      title={`Resolve incident ${number}`}
      overtaken={overtaken}
      reason="optional"
      consequence={`Incident ${number} is closed, with your note. If its cause is still there, the next window opens a new one.`}
      act={(reason) => resolve.mutateAsync({ params: { number }, body: reason === '' ? undefined : { reason } })}
    />
  );
}

interface RolloutProps {
  readonly endpoint: string;
  readonly version: number;
}

/** A paused rollout: on to its next step, or back to the champion. */
export function DecideRollout({ endpoint, version }: RolloutProps) {
  const control = useChange('POST /endpoints/:name/rollout');
  const act = (action: 'continue' | 'abort') => (reason: string) =>
    control.mutateAsync({ params: { name: endpoint }, body: { action, ...(reason !== '' && { reason }) } });
  return (
    <>
      <Confirm
        verb="Continue"
        title={`Continue the rollout of v${version}`}
        primary
        reason="optional"
        consequence={`v${version} goes on to the next step of its rollout on ${endpoint}, although the evidence is not complete. Limits still stop it by themselves.`}
        act={act('continue')}
      />
      <Confirm
        verb="Abort"
        title={`Abort the rollout of v${version}`}
        danger
        reason="optional"
        consequence={`All traffic of ${endpoint} goes to the champion within seconds. The model is HELD: no retraining or promotion until resume. Answers given are not undone.`}
        act={act('abort')}
      />
    </>
  );
}
