import { percent } from '../ui/format.ts';
import { GoLink } from '../ui/link.tsx';
import { Status } from '../ui/status.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { RelativeTime } from '../ui/time.tsx';
import { healthOf, LIGHTS, LightLink, LightStrip, rankOf, worst, worstLight } from './lights.tsx';
import { HeldMark, liveWords, type ModelStatus, Requests } from './model-facts.tsx';
import classes from './model-table.module.css';

import { placeOfModel, placeOfVersion } from './places.ts';

const idOf = ({ name, endpoint }: ModelStatus): string => `${name}/${endpoint ?? ''}`;

/** The worst first, then by name. */
export const byWorst = (models: readonly ModelStatus[]): readonly ModelStatus[] =>
  [...models].sort(
    (a, b) =>
      rankOf(worst(a.lights)) - rankOf(worst(b.lights)) || a.name.localeCompare(b.name, 'en', { numeric: true }),
  );

/** A row is as its worst light, which its shape and word at the left say. */
function NameCell({ model }: { readonly model: ModelStatus }) {
  const { name, health } = worstLight(model.lights);
  return (
    <span className={classes['name']}>
      <Status health={health} word={`${name}: ${model.lights[name].sentence}`} iconOnly />
      <bdi className={classes['title']} title={model.name}>
        {model.name}
      </bdi>
      <HeldMark model={model} />
      {model.endpoint !== null && model.endpoint !== model.name && <span className="muted">{model.endpoint}</span>}
    </span>
  );
}

function LiveCell({ model }: { readonly model: ModelStatus }) {
  const { rollout } = model;
  return (
    <GoLink to={placeOfModel(model.name, 'live')} className={classes['plain']}>
      {liveWords(model)}
      {rollout && rollout.state !== 'baking' && <span className="muted"> {rollout.state}</span>}
    </GoLink>
  );
}

function DeployCell({ model }: { readonly model: ModelStatus }) {
  const { lastDeploy } = model;
  if (lastDeploy === null) return '—';
  return (
    <GoLink to={placeOfVersion(model.name, lastDeploy.version)} className={classes['plain']}>
      v{lastDeploy.version} <RelativeTime at={lastDeploy.at} />
    </GoLink>
  );
}

export const MODEL_COLUMNS: readonly Column<ModelStatus>[] = [
  {
    id: 'name',
    header: 'model',
    value: ({ name }) => name,
    cell: (model) => <NameCell model={model} />,
  },
  ...LIGHTS.map(
    (name): Column<ModelStatus> => ({
      id: name,
      header: name,
      value: ({ lights }) => rankOf(healthOf(lights[name].state)),
      cell: ({ name: model, lights }) => <LightLink model={model} name={name} light={lights[name]} />,
    }),
  ),
  { id: 'live', header: 'live', value: liveWords, cell: (model) => <LiveCell model={model} /> },
  {
    id: 'requests',
    header: 'requests',
    value: ({ traffic }) => traffic?.total,
    cell: ({ traffic }) => <Requests traffic={traffic} width={84} />,
  },
  {
    id: 'labels',
    header: 'labelled',
    numeric: true,
    value: ({ labelCoverage }) => labelCoverage,
    cell: ({ labelCoverage }) => (
      <span title="predictions of the last 14 days of event time that have a label">{percent(labelCoverage)}</span>
    ),
  },
  {
    id: 'deploy',
    header: 'last deploy',
    value: ({ lastDeploy }) => lastDeploy?.at,
    cell: (model) => <DeployCell model={model} />,
  },
];

interface ModelTableProps {
  readonly models: readonly ModelStatus[];
  readonly sort?: { readonly column: string; readonly descending: boolean } | undefined;
  readonly onSort?: (sort: { readonly column: string; readonly descending: boolean } | undefined) => void;
  readonly hidden?: readonly string[];
}

/** One row a model and endpoint: lights, what is live at which share, requests, labels, last deploy. A list of cards where it is narrow. */
export function ModelTable({ models, ...view }: ModelTableProps) {
  return (
    <>
      <div className={classes['wide']}>
        <Table
          label="Models"
          rows={models}
          columns={MODEL_COLUMNS}
          rowId={idOf}
          to={({ name }) => placeOfModel(name)}
          {...view}
        />
      </div>
      <ul className={classes['narrow']} aria-label="Models">
        {models.map((model) => (
          <li key={idOf(model)}>
            <Card model={model} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Card({ model }: { readonly model: ModelStatus }) {
  return (
    <article className={classes['card']}>
      <header className={classes['cardHead']}>
        <GoLink to={placeOfModel(model.name)} className={classes['cardName']}>
          <NameCell model={model} />
        </GoLink>
        <LiveCell model={model} />
      </header>
      <LightStrip model={model.name} lights={model.lights} />
      <footer className={classes['cardFoot']}>
        <Requests traffic={model.traffic} width={72} />
        <span>{percent(model.labelCoverage)} labelled</span>
        <DeployCell model={model} />
      </footer>
    </article>
  );
}
