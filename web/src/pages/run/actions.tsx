import { useChange } from '../../api/queries.ts';
import { Lifecycle } from '../../domain/run-lifecycle.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { useGo } from '../../ui/link.tsx';
import { pipelineOf } from './made-by.ts';
import type { Run } from './page.tsx';

/** Cancels what still runs where it is ours to cancel; deletes and restores. */
export function RunActions({ run }: { readonly run: Run }) {
  const go = useGo();
  const cancel = useChange('POST /pipeline-runs/:id/cancel');
  const made = pipelineOf(run);
  const isRunning = run.status === 'RUNNING' || run.status === 'SCHEDULED';
  return (
    <>
      {isRunning && made && (
        <Confirm
          verb="Cancel"
          danger
          consequence={`The pipeline run that this step belongs to is cancelled: its step ends now, later steps do not begin, nothing is registered. What was logged stays.`}
          act={() => cancel.mutateAsync({ params: { id: made.run } })}
        />
      )}
      <Lifecycle
        ids={[run.id]}
        isDeleted={run.lifecycle === 'deleted'}
        onDone={() => run.lifecycle === 'active' && go('/runs')}
      />
    </>
  );
}
