import type { AnswerOf } from '../../../api/routes.ts';
import { ContributionBars } from '../../../domain/contributions.tsx';
import { placeOfVersion, placeOfWhy } from '../../../domain/places.ts';
import { Refusal } from '../../../ui/confirm.tsx';
import { duration, exact, number, percent } from '../../../ui/format.ts';
import { Id } from '../../../ui/id.tsx';
import { GoLink } from '../../../ui/link.tsx';
import { Rows } from '../../../ui/states.tsx';
import { usePredictionWhy } from '../live/use-why.ts';
import classes from './try-it.module.css';

export type Asked = AnswerOf<'POST /predictions'>;

/** What the gateway says: the protocol's answer, or its error. */
interface Body {
  readonly error?: string;
  readonly model_version?: string;
  readonly outputs?: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly data: readonly unknown[];
  }[];
  readonly parameters?: { readonly prediction_ids?: string; readonly fallback?: boolean; readonly error?: string };
}

interface AnswerProps {
  readonly model: string;
  readonly asked: Asked | undefined;
  readonly error: unknown;
  readonly isBusy: boolean;
  readonly classes: readonly unknown[] | null;
  /** Which row's reasons are shown. */
  readonly row: number;
}

/** The answer with its probabilities, who gave it, and what moved it. */
export function Answer({ model, asked, error, isBusy, classes: labels, row }: AnswerProps) {
  if (error) return <Refusal error={error} />;
  if (!asked) return <p className="muted">{isBusy ? 'Asking …' : 'Ask, and the answer stands here.'}</p>;
  const body = bodyOf(asked);
  if (body.outputs === undefined)
    return (
      <div role="alert" className={classes['refused']}>
        <strong>{asked.status < 500 ? 'Refused' : 'No answer'}</strong> ({asked.status}):{' '}
        {body.error ?? 'the gateway said nothing'}
      </div>
    );
  const ids = body.parameters?.prediction_ids?.split(',') ?? [];
  const shown = Math.min(row, Math.max(0, ids.length - 1));
  return (
    <div className={classes['answer']} data-stale={isBusy || undefined} aria-live="polite">
      <p className="muted">
        <GoLink to={placeOfVersion(model, body.model_version ?? '')}>v{body.model_version}</GoLink> answered in{' '}
        {duration(asked.tookMs)} by way of this server
        {body.parameters?.fallback && <strong> by its FALLBACK</strong>}
      </p>
      {body.parameters?.error && <p role="alert">{body.parameters.error}</p>}
      <ol className={classes['answers']}>
        {ids.map((id, at) => (
          <li key={id} data-shown={(ids.length > 1 && at === shown) || undefined}>
            <span>
              {ids.length > 1 && <span className="muted">row {at + 1} </span>}
              <strong className={classes['label']}>{labelOf(body, at)}</strong> <Id id={id} />
            </span>
            <Probabilities values={probabilitiesOf(body, at)} labels={labels} />
          </li>
        ))}
      </ol>
      {ids[shown] !== undefined && <Why id={ids[shown]} />}
    </div>
  );
}

export const bodyOf = ({ body }: Asked): Body =>
  typeof body === 'object' && body !== null ? (body as Body) : { error: String(body) };

function Probabilities({
  values,
  labels,
}: {
  readonly values: readonly number[];
  readonly labels: readonly unknown[] | null;
}) {
  if (values.length === 0) return null;
  return (
    <ul className={classes['probabilities']} aria-label="Probabilities">
      {values.map((value, i) => (
        <li key={i}>
          <bdi>{String(labels?.[i] ?? i)}</bdi>
          <span className={classes['track']} aria-hidden="true">
            <span style={{ width: `${value * 100}%` }} />
          </span>
          <span className="num" title={exact(value)}>
            {percent(value)}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Why({ id }: { readonly id: string }) {
  const { data, error } = usePredictionWhy(id);
  if (error) return <p className="muted">Why is not known yet: {error.message}</p>;
  if (!data) return <Rows count={3} />;
  return (
    <div>
      <h3>
        Why <GoLink to={placeOfWhy(id)}>in words</GoLink>
      </h3>
      {data.contributions ? (
        <ContributionBars contributions={data.contributions} />
      ) : (
        <p className="muted">{data.contributionsReason ?? 'No model answered, so nothing moved the answer.'}</p>
      )}
    </div>
  );
}

const outputOf = ({ outputs = [] }: Body, name: string) => outputs.find((output) => output.name === name);

function labelOf(body: Body, row: number): string {
  const value = outputOf(body, 'predict')?.data[row];
  if (value === null || value === undefined) return 'no answer';
  return typeof value === 'number' ? number(value, 6) : String(value);
}

function probabilitiesOf(body: Body, row: number): readonly number[] {
  const output = outputOf(body, 'predict_proba');
  const width = output?.shape[1] ?? 1;
  return (output?.data.slice(row * width, (row + 1) * width) ?? []).filter((value) => typeof value === 'number');
}
