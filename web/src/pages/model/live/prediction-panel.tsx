import { Drawer } from '@mantine/core';
import { useGet } from '../../../api/queries.ts';
import type { PredictionWhy } from '../../../api/routes.ts';
import { ContributionBars } from '../../../domain/contributions.tsx';
import { placeOfModel, placeOfRun, placeOfVersion, placeOfWhy } from '../../../domain/places.ts';
import { Facts } from '../../../ui/facts.tsx';
import { duration, exact, number, shortId } from '../../../ui/format.ts';
import { Id } from '../../../ui/id.tsx';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { EventTime, RelativeTime } from '../../../ui/time.tsx';
import classes from './live.module.css';
import { usePredictionWhy } from './use-why.ts';

/** One prediction beside the list: what was asked, what was answered, what came true, and why. */
export function PredictionPanel({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  return (
    <Drawer
      opened={id !== ''}
      onClose={onClose}
      position="right"
      size="min(560px, 100vw)"
      title={id === '' ? '' : `Prediction ${shortId(id)}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {id !== '' && <Shown id={id} />}
    </Drawer>
  );
}

function Shown({ id }: { readonly id: string }) {
  const { data, error, refetch } = usePredictionWhy(id);
  if (!data) return error ? <Failure error={error} retry={() => void refetch()} /> : <Rows count={10} />;
  const { prediction, label, contributions, contributionsReason } = data;
  return (
    <div className={classes['panel']}>
      <About why={data} />
      <Part title="Answer">
        <Facts
          facts={[
            ['answer', prediction.status === 'ok' ? String(prediction.label) : (prediction.error ?? prediction.status)],
            [
              'score',
              <span key="s" title={exact(prediction.score)}>
                {number(prediction.score)}
              </span>,
            ],
            ['came true', label === null ? 'nobody has said yet' : `${String(label.value)} (${label.source})`],
            ...(label && label.history.length > 0 ? [['corrected', `${label.history.length} times`] as const] : []),
          ]}
        />
      </Part>
      <Part title="Inputs">
        <Inputs features={prediction.features} />
      </Part>
      <Part title="Why">
        {contributions ? (
          <ContributionBars contributions={contributions} />
        ) : (
          <p className="muted">{contributionsReason ?? 'No model answered, so nothing moved an answer.'}</p>
        )}
      </Part>
    </div>
  );
}

function About({ why: { prediction } }: { readonly why: PredictionWhy }) {
  const { model, version, latencyMs, fallback, rehearsal } = prediction;
  const { data } = useGet(
    'GET /models/:model/versions/:version',
    { params: { model, version: version ?? 0 } },
    { enabled: version !== null },
  );
  return (
    <Facts
      facts={[
        ['id', <Id key="i" id={prediction.id} />],
        ['event time', <EventTime key="e" at={prediction.eventTime} />],
        ['received', <RelativeTime key="r" at={prediction.receivedAt} />],
        [
          'version',
          <span key="v">
            {version === null ? '—' : <GoLink to={placeOfVersion(model, version)}>v{version}</GoLink>} {prediction.role}
            {fallback && <strong> FALLBACK</strong>}
            {rehearsal !== null && <strong> REHEARSAL</strong>}
          </span>,
        ],
        [
          'made by',
          data?.pipelineRunId ? (
            <GoLink key="m" to={placeOfRun(model, data.pipelineRunId)}>
              run {shortId(data.pipelineRunId)}
            </GoLink>
          ) : (
            '—'
          ),
        ],
        [
          'rollout',
          prediction.rolloutId === null ? (
            'none'
          ) : (
            <GoLink key="o" to={`${placeOfModel(model, 'live')}?rollout=${prediction.rolloutId}`}>
              {shortId(prediction.rolloutId)}
            </GoLink>
          ),
        ],
        ["caller's id", <bdi key="c">{prediction.callerId ?? '—'}</bdi>],
        ['entity', <bdi key="n">{prediction.entity ?? '—'}</bdi>],
        ['request', <Id key="q" id={prediction.requestId} />],
        ['latency', duration(latencyMs)],
        [
          'more',
          <GoLink key="w" to={placeOfWhy(prediction.id)}>
            why, in words
          </GoLink>,
        ],
      ]}
    />
  );
}

function Inputs({ features }: { readonly features: PredictionWhy['prediction']['features'] }) {
  return (
    <table className={classes['inputs']}>
      <tbody>
        {Object.entries(features).map(([name, value]) => (
          <tr key={name}>
            <th scope="row">
              <bdi>{name}</bdi>
            </th>
            <td className="mono">
              {value === null ? <span className="muted">null</span> : <bdi>{String(value)}</bdi>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
