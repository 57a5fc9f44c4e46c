import { useGet } from '../../../api/queries.ts';
import type { PredictionWhy } from '../../../api/routes.ts';
import { ContributionBars } from '../../../domain/contributions.tsx';
import { placeOfModel, placeOfRun, placeOfVersion, placeOfWhy } from '../../../domain/places.ts';
import { Facts } from '../../../ui/facts.tsx';
import { duration, exact, number, shortId } from '../../../ui/format.ts';
import { Id } from '../../../ui/id.tsx';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { SidePanel } from '../../../ui/side-panel.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { EventTime, RelativeTime } from '../../../ui/time.tsx';
import { toField } from '../try-it/request.ts';
import classes from './live.module.css';
import { usePredictionWhy } from './use-why.ts';

/** One prediction beside the list: what was asked, what was answered, what came true, and why. */
export function PredictionPanel({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  if (id === '') return null;
  return (
    <SidePanel title={`Prediction ${shortId(id)}`} onClose={onClose}>
      <Shown key={id} id={id} />
    </SidePanel>
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
        <Inputs prediction={prediction} />
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
  const made = useVersion(prediction);
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
          made?.pipelineRunId ? (
            <GoLink key="m" to={placeOfRun(model, made.pipelineRunId)}>
              run {shortId(made.pipelineRunId)}
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

function Inputs({ prediction }: { readonly prediction: PredictionWhy['prediction'] }) {
  const made = useVersion(prediction);
  const typed = new Map(made?.signature?.inputs.map((input) => [input.name, input]));
  return (
    <table className={classes['inputs']}>
      <tbody>
        {Object.entries(prediction.features).map(([name, value]) => {
          const input = typed.get(name);
          return (
            <tr key={name}>
              <th scope="row">
                <bdi>{name}</bdi>
              </th>
              <td className="mono">
                {value === null ? (
                  <span className="muted">null</span>
                ) : (
                  <bdi>{input ? toField(input, value) : String(value)}</bdi>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function useVersion({ model, version }: Pick<PredictionWhy['prediction'], 'model' | 'version'>) {
  const params = { model, version: version ?? 0 };
  return useGet('GET /models/:model/versions/:version', { params }, { enabled: version !== null }).data;
}
