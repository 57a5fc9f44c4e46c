import { useGet } from '../../../api/queries.ts';
import { placeOfRun } from '../../../domain/places.ts';
import { shortId } from '../../../ui/format.ts';
import { GoLink } from '../../../ui/link.tsx';
import classes from './pipeline.module.css';
import type { Run, Step } from './words.ts';

/** Why the step ran or did not: what it depends on, beside the run before. */
export function Why({ run, step }: { readonly run: Run; readonly step: Step }) {
  const { data } = useGet('GET /pipeline-runs/:id/steps/:step/why', { params: { id: run.id, step: step.name } });
  if (!data || data.step !== step.name || data.parts.length === 0) return <span />;
  return (
    <div className={classes['why']}>
      <h3>What it depends on</h3>
      {data.comparedWith !== null && (
        <p className={`${classes['sentence']} muted`}>
          beside <GoLink to={placeOfRun(run.pipeline, data.comparedWith)}>run {shortId(data.comparedWith)}</GoLink>, the
          last before that tried it
        </p>
      )}
      <ul className={classes['parts']}>
        {data.parts.map((part) => (
          <li key={part.name} data-changed={part.changed || undefined}>
            <span>{part.changed ? (part.before === null ? 'new' : 'changed') : 'the same'}</span>
            <bdi>{part.what}</bdi>
            <code title={`${part.before ?? 'nothing'} → ${part.now ?? 'nothing'}`}>
              {part.now?.slice(0, 7) ?? 'gone'}
            </code>
          </li>
        ))}
      </ul>
    </div>
  );
}
