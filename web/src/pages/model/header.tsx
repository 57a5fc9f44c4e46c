import { Select } from '@mantine/core';
import { LightLinks } from '../../domain/lights.tsx';
import { HeldMark, type ModelStatus } from '../../domain/model-facts.tsx';
import { placeOfModel, placeOfVersion } from '../../domain/places.ts';
import { percent } from '../../ui/format.ts';
import { GoLink } from '../../ui/link.tsx';
import { useViewState } from '../../ui/view-state.ts';
import { ModelActions } from './actions.tsx';
import { useEnvironment } from './applied.ts';
import classes from './layout.module.css';

interface HeaderProps {
  readonly model: ModelStatus;
  readonly endpoints: readonly string[];
}

/** `flights  v7 100 % · v8 canary 25 % · production · HELD` with five lights, and what may be done. */
export function ModelHeader({ model, endpoints }: HeaderProps) {
  return (
    <header className={classes['head']}>
      <div className={classes['line']}>
        <h1 title={model.name}>
          <bdi>{model.name}</bdi>
        </h1>
        <LiveLine model={model} endpoints={endpoints} />
        <div className={classes['actions']}>
          <ModelActions model={model} />
        </div>
      </div>
      <div>
        <LightLinks model={model.name} lights={model.lights} />
      </div>
    </header>
  );
}

function LiveLine({ model, endpoints }: HeaderProps) {
  const { live, rollout, version, fallback, endpoint, hold } = model;
  const challenger = rollout && rollout.version !== version ? rollout : null;
  return (
    <span className={classes['live']}>
      {version === null ? (
        <span>not deployed</span>
      ) : (
        <span>
          <GoLink to={placeOfVersion(model.name, version)}>v{version}</GoLink>{' '}
          {percent(live.find((each) => each.version === version)?.share ?? 1)}
        </span>
      )}
      {challenger && (
        <span>
          <GoLink to={placeOfModel(model.name, 'live')} title={challenger.sentence}>
            v{challenger.version} {challenger.state}
            {challenger.weight > 0 && ` ${percent(challenger.weight)}`}
          </GoLink>
        </span>
      )}
      {rollout?.state === 'baking' && !challenger && (
        <span>
          <GoLink to={placeOfModel(model.name, 'live')} title={rollout.sentence}>
            baking
          </GoLink>
        </span>
      )}
      {endpoint !== null && (
        <span>
          {endpoints.length > 1 ? (
            <EndpointChoice endpoints={endpoints} model={model} />
          ) : (
            <EndpointName model={model} endpoint={endpoint} />
          )}
        </span>
      )}
      {fallback && (
        <span>
          <strong className={classes['held']}>fallback answers</strong>
        </span>
      )}
      {hold !== null && (
        <span>
          <HeldMark model={model} />
        </span>
      )}
    </span>
  );
}

/** The environment that the file gives the endpoint, else its own name. */
function EndpointName({ model, endpoint }: { readonly model: ModelStatus; readonly endpoint: string }) {
  const environment = useEnvironment(model);
  return <span title={`endpoint ${endpoint}`}>{environment ?? `endpoint ${endpoint}`}</span>;
}

function EndpointChoice({ endpoints, model }: HeaderProps) {
  const [, setEndpoint] = useViewState('endpoint');
  return (
    <Select
      size="xs"
      w={200}
      display="inline-block"
      aria-label="Endpoint"
      data={endpoints.map((name) => ({ value: name, label: `endpoint ${name}` }))}
      value={model.endpoint}
      allowDeselect={false}
      onChange={(next) => setEndpoint(next ?? '')}
    />
  );
}
