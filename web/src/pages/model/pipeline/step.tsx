import { Code, NativeSelect } from '@mantine/core';
import { useGet } from '../../../api/queries.ts';
import { placeOfData, placeOfRun, placeOfVersion } from '../../../domain/places.ts';
import { type Fact, Facts } from '../../../ui/facts.tsx';
import { bytes, duration, number, shortId } from '../../../ui/format.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Status } from '../../../ui/status.tsx';
import { RelativeTime } from '../../../ui/time.tsx';
import { useViewState } from '../../../ui/view-state.ts';
import { Log } from './log.tsx';
import classes from './pipeline.module.css';
import { Why } from './why.tsx';
import { healthOf, type Run, type Step, tookMs, wordOf } from './words.ts';

/** One step: why it ran or did not, what went in and came out, how it ended, and its log. */
export function StepDetail({ run, step }: { readonly run: Run; readonly step: Step }) {
  return (
    <Part title={`Step ${step.name}`}>
      <p className={classes['sentence']}>
        <Status health={healthOf(step.state)} word={wordOf(step.state)} />{' '}
        {step.progress && `at cell ${step.progress.cell} of ${step.progress.of}: ${step.progress.title} `}
        {step.says && <span className="muted">{step.says} </span>}
        {step.reason}
      </p>
      {step.failure && <Failed failure={step.failure} />}
      <div className={classes['detail']}>
        <Facts facts={factsOf(run, step)} />
        <Why run={run} step={step} />
      </div>
      {step.cachedFrom === null ? (
        <Attempts run={run} step={step} />
      ) : (
        <p className={classes['sentence']}>
          It was computed by{' '}
          <GoLink to={placeOfStep(run.pipeline, step.cachedFrom, step.name)}>run {shortId(step.cachedFrom)}</GoLink>,
          where its log is.
        </p>
      )}
    </Part>
  );
}

const placeOfStep = (pipeline: string, run: string, step: string): string =>
  `${placeOfRun(pipeline, run)}&step=${encodeURIComponent(step)}`;

function Failed({ failure }: { readonly failure: NonNullable<Step['failure']> }) {
  const { kind, message, exitCode, cell, hint, logTail } = failure;
  return (
    <section className={classes['failed']} role="alert">
      <strong>
        {kind.replace('_', ' ')}
        {exitCode !== null && `, exit code ${exitCode}`}
        {cell && `, code cell ${cell.code} of ${cell.of}`}
      </strong>
      <p>{message}</p>
      {cell && <Code block>{cell.source}</Code>}
      {hint && (
        <p>
          Try <Code>{hint}</Code>
        </p>
      )}
      {logTail.length > 0 && (
        <details>
          <summary>The last {logTail.length} lines that it said</summary>
          <Code block>{logTail.join('\n')}</Code>
        </details>
      )}
    </section>
  );
}

function factsOf(run: Run, step: Step): readonly Fact[] {
  const { outputs } = step;
  const optional = (name: string, value: React.ReactNode): readonly Fact[] =>
    value === null || value === undefined || value === false ? [] : [[name, value]];
  return [
    ['kind', step.kind],
    ['started', <RelativeTime key="s" at={step.startedAt} />],
    ['took', duration(tookMs(step))],
    ['attempts', number(step.attempt)],
    ['after', step.needs.join(', ') || 'nothing'],
    ...optional('environment', step.envDigest && <code title={step.envDigest}>{step.envDigest.slice(0, 7)}</code>),
    ...optional('data', outputs?.data && <DataOut data={outputs.data} />),
    ...optional('files', outputs?.files && outputs.files.length > 0 && <Files files={outputs.files} />),
    ...optional('notebook', outputs?.notebook && `${outputs.notebook.path}, ${bytes(outputs.notebook.sizeBytes)}`),
    ...optional('models', outputs?.exports && (Object.keys(outputs.exports).join(', ') || null)),
    ...optional(
      'tracked runs',
      outputs?.trackedRuns && outputs.trackedRuns.length > 0 && <Tracked ids={outputs.trackedRuns} />,
    ),
    ...optional(
      'version',
      outputs?.register && (
        <GoLink to={placeOfVersion(outputs.register.model, outputs.register.version)}>
          {outputs.register.model} v{outputs.register.version}
        </GoLink>
      ),
    ),
    ...optional('gate', outputs?.gate?.sentence),
    ...optional('run', run.draft ? 'a draft: it becomes no champion' : null),
  ];
}

type Outputs = NonNullable<Step['outputs']>;

function DataOut({ data }: { readonly data: NonNullable<Outputs['data']> }) {
  return (
    <>
      <GoLink to={placeOfData(data.dataset, data.version)}>
        {data.dataset} v{data.version}
      </GoLink>
      , {number(data.rows)} rows that steps see{data.created ? ', new' : ''}
    </>
  );
}

const SHOWN = 8;

function Files({ files }: { readonly files: NonNullable<Outputs['files']> }) {
  return (
    <ul className={classes['files']}>
      {files.slice(0, SHOWN).map(({ path, sizeBytes }) => (
        <li key={path}>
          <code>{path}</code> {bytes(sizeBytes)}
        </li>
      ))}
      {files.length > SHOWN && <li className="muted">{files.length - SHOWN} more</li>}
    </ul>
  );
}

const Tracked = ({ ids }: { readonly ids: readonly string[] }) =>
  ids.map((id, i) => (
    <span key={id}>
      {i > 0 && ', '}
      <GoLink to={`/runs/${encodeURIComponent(id)}`}>{shortId(id)}</GoLink>
    </span>
  ));

/** The log of the newest attempt, or of the one that is chosen. */
function Attempts({ run, step }: { readonly run: Run; readonly step: Step }) {
  const [chosen, choose] = useViewState('attempt');
  const params = { id: run.id, step: step.name };
  const { data } = useGet('GET /pipeline-runs/:id/steps/:step/attempts', { params });
  const attempt = /^\d+$/.test(chosen) && Number(chosen) <= step.attempt ? Number(chosen) : step.attempt;
  const isBegun = step.startedAt !== null || step.attempt > 0 || step.state === 'leased';
  if (!isBegun) return <p className="muted">It has not begun, so it has no log.</p>;
  return (
    <>
      {step.attempt > 1 && (
        <NativeSelect
          size="xs"
          label="Attempt"
          className={classes['attempts'] ?? ''}
          value={String(attempt)}
          onChange={(event) =>
            choose(event.currentTarget.value === String(step.attempt) ? undefined : event.currentTarget.value)
          }
          data={(data?.items ?? []).map((each) => ({
            value: String(each.attempt),
            label: `${each.attempt} of ${step.attempt}: ${each.exitCode === null ? 'no exit code' : `exit code ${each.exitCode}`}, log ${bytes(each.logBytes)}`,
          }))}
        />
      )}
      <Log key={`${run.id} ${step.name} ${attempt}`} run={run.id} step={step.name} attempt={attempt} />
    </>
  );
}
