import { useMemo } from 'react';
import { useGet } from '../../api/queries.ts';
import { Part } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { type ModelStatus, useModel } from './layout.tsx';
import classes from './live/live.module.css';
import { Now } from './live/now.tsx';
import { Predictions } from './live/predictions.tsx';
import { Rollout } from './live/rollout.tsx';
import { Traffic } from './live/traffic.tsx';
import { TryIt } from './try-it.tsx';

/** What answers now, the rollout with its evidence, the traffic, a form to try it, and the last answers. */
export default function LiveTab() {
  const model = useModel();
  if (!model) return <Rows />;
  if (model.endpoint === null)
    return <Empty command={`levain deploy ${model.name}`}>{model.name} has no endpoint yet.</Empty>;
  return <Live model={model} endpoint={model.endpoint} />;
}

function Live({ model, endpoint }: { readonly model: ModelStatus; readonly endpoint: string }) {
  const shown = useGet('GET /endpoints/:name', { params: { name: endpoint } });
  const version = shown.data?.champion ?? model.version;
  const made = useGet(
    'GET /models/:model/versions/:version',
    { params: { model: model.name, version: version ?? 0 } },
    { enabled: version !== null },
  );
  const inputs = useMemo(() => made.data?.signature?.inputs ?? [], [made.data]);
  if (!shown.data)
    return shown.error ? <Failure error={shown.error} retry={() => void shown.refetch()} /> : <Rows count={10} />;
  return (
    <div className={classes['tab']}>
      <Now model={model} endpoint={shown.data} />
      <Rollout endpoint={endpoint} />
      <Traffic model={model} endpoint={endpoint} />
      {version !== null && (
        <Part title="Try it">
          <TryIt model={model.name} version={version} endpoint={shown.data} />
        </Part>
      )}
      <Predictions model={model} endpoint={endpoint} inputs={inputs} />
    </div>
  );
}
