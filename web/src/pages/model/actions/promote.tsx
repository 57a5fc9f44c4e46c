import { useChange } from '../../../api/queries.ts';
import type { ModelStatus } from '../../../domain/model-facts.tsx';
import { ConfirmDialog, type Opened } from '../../../ui/confirm.tsx';

/** Skips what is left of a rollout: all traffic to the new version now. */
export function Promote({ model, opened }: { readonly model: ModelStatus; readonly opened: Opened }) {
  const control = useChange('POST /endpoints/:name/rollout');
  const { rollout, version, endpoint, name } = model;
  const isUnderWay = rollout !== null && rollout.version !== version;
  return (
    <ConfirmDialog
      {...opened}
      verb="Promote"
      title={isUnderWay ? `Promote ${name}@v${rollout.version}` : `Promote ${name}`}
      blocked={!isUnderWay}
      consequence={
        isUnderWay ? (
          <>
            <p>
              {name}@v{rollout.version} takes all traffic of "{endpoint}" now, whatever is left of its rollout (
              {rollout.state}: {rollout.sentence}).
            </p>
            <p>
              {version === null ? 'Nothing was live before.' : `v${version} stays warm for a rollback.`} Limits still
              stop it by themselves.
            </p>
          </>
        ) : (
          <p>No rollout of {name} is under way any more, so there is nothing to promote.</p>
        )
      }
      act={() =>
        control.mutateAsync({
          params: { name: endpoint ?? name },
          body: { action: 'promote', ...(rollout && { rollout: rollout.id }) },
        })
      }
    />
  );
}
