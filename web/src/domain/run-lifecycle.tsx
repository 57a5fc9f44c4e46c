import { useChange } from '../api/queries.ts';
import { Confirm } from '../ui/confirm.tsx';

interface LifecycleProps {
  readonly ids: readonly string[];
  readonly isDeleted: boolean;
  readonly onDone?: () => void;
}

const AT_ONCE = 6;

/** Deletes runs, or brings deleted ones back. */
export function Lifecycle({ ids, isDeleted, onDone }: LifecycleProps) {
  const { mutateAsync: remove } = useChange('DELETE /runs/:id');
  const { mutateAsync: restore } = useChange('POST /runs/:id/restore');
  const what = ids.length === 1 ? 'The run' : `${ids.length} runs`;
  const act = async (): Promise<void> => {
    const change = isDeleted ? restore : remove;
    for (let at = 0; at < ids.length; at += AT_ONCE)
      await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => change({ params: { id } } as never)));
    onDone?.();
  };
  if (isDeleted)
    return (
      <Confirm
        verb="Restore"
        consequence={`${what} will stand among the others again, with all that was logged, and can be written to.`}
        act={act}
      />
    );
  return (
    <Confirm
      verb="Delete"
      danger
      consequence={`${what} will leave the lists and take no more writes. Metrics, artifacts and models stay: versions that came of it keep serving, and Restore (state “deleted”) brings it back.`}
      act={act}
    />
  );
}
