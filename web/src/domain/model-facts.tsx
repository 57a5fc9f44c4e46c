import type { AnswerOf } from '../api/routes.ts';
import { count, duration, exact, percent } from '../ui/format.ts';
import { Sparkline } from '../ui/sparkline.tsx';
import classes from './model-facts.module.css';

export type ModelStatus = AnswerOf<'GET /status'>['models'][number];

/** `v7 95 % · v8 5 %`; what answers now, at which share of the requests. */
export function liveWords({ live, fallback }: ModelStatus): string {
  if (live.length === 0) return 'not deployed';
  const shares = live.map(({ version, share }) => `v${version} ${percent(share)}`).join(' · ');
  return fallback ? `fallback (${shares})` : shares;
}

/** HELD, with the reason on hover; nothing where it is not. */
export function HeldMark({ model }: { readonly model: ModelStatus }) {
  if (model.hold === null) return null;
  const { reason, setBy } = model.hold;
  return (
    <strong className={classes['held']} title={`HELD by ${setBy}: ${reason}. No retraining or promotion until resume.`}>
      HELD
    </strong>
  );
}

/** Requests of the last days as a line, and how many they were. */
export function Requests({
  traffic,
  width = 112,
}: {
  readonly traffic: ModelStatus['traffic'];
  readonly width?: number;
}) {
  if (traffic === null) return <span title="no request yet">—</span>;
  const { requests, stepMs, total } = traffic;
  const span = `the last ${duration(stepMs * requests.length)} of event time`;
  return (
    <span className={classes['requests']}>
      <Sparkline
        width={width}
        values={requests}
        label={`${exact(total)} requests in ${span}; a point is ${stepMs / 3_600_000} h`}
      />
      <span className="num">{count(total)}</span>
    </span>
  );
}
