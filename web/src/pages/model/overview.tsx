import { useGet } from '../../api/queries.ts';
import { Lineage } from '../../domain/lineage.tsx';
import type { ModelStatus } from '../../domain/model-facts.tsx';
import { placeOfModel } from '../../domain/places.ts';
import { GoLink } from '../../ui/link.tsx';
import { Part } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { DoLink } from './actions/do.tsx';
import { useModel } from './layout.tsx';
import { LiveFacts } from './overview/facts.tsx';
import { Happened } from './overview/happened.tsx';
import { LightTable } from './overview/lights.tsx';
import classes from './overview/overview.module.css';
import { PerformanceNow } from './overview/performance.tsx';

/** What is live, how it does now against what the gate saw, what it was made of, and what happened last. */
export default function OverviewTab() {
  const model = useModel();
  if (!model) return <Rows />;
  if (model.version === null) return <NotLive model={model} />;
  return <Live model={model} version={model.version} />;
}

function NotLive({ model }: { readonly model: ModelStatus }) {
  const waits = model.waiting.at(-1);
  return (
    <>
      <Empty
        command={waits === undefined ? `levain deploy ${model.name}` : `levain approve ${model.name}@v${waits}`}
        action={
          waits === undefined ? (
            <DoLink what="deploy">Deploy a version …</DoLink>
          ) : (
            <GoLink to={placeOfModel(model.name, 'versions')}>See its versions</GoLink>
          )
        }
      >
        No version of <bdi>{model.name}</bdi> is live yet.
      </Empty>
      <Happened model={model.name} />
    </>
  );
}

function Live({ model, version }: { readonly model: ModelStatus; readonly version: number }) {
  const { data, error, refetch } = useGet('GET /models/:model/versions/:version', {
    params: { model: model.name, version },
  });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data || data.model !== model.name) return <Rows count={10} />;
  return (
    <>
      <div className={classes['split']}>
        <div className={classes['main']}>
          <LightTable model={model} />
          <PerformanceNow model={model} version={data} />
        </div>
        <LiveFacts version={data} model={model} />
      </div>
      <Part title="From data to endpoint">
        <Lineage version={data} endpoint={model.endpoint} />
      </Part>
      <Happened model={model.name} />
    </>
  );
}
