import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { bytes, count, exact, percent } from '../../ui/format.ts';
import { Part } from '../../ui/page.tsx';
import { Failure, Rows } from '../../ui/states.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import classes from './settings.module.css';

type Kind = AnswerOf<'GET /server/storage'>['items'][number]['kind'];

const WORDS: Readonly<Record<Kind, readonly [name: string, what: string]>> = {
  content: ['contents', 'data, models, artifacts, logs of predictions: each kept once'],
  database: ['database', 'runs, metrics, versions, incidents, labels'],
  environments: ['environments', 'Python packages of steps and models; made again when needed'],
  runs: ['folders of runs', 'what steps worked in, and their logs'],
  gateway: ['gateway', 'loaded versions, and predictions that are not handed in yet'],
  cache: ['cache', 'made again when needed'],
  backups: ['backups', 'copies of the database from before an upgrade'],
  other: ['other', 'logs of the server, records, keys'],
};

/** How much is stored, by kind, as a share of all of it. */
export function StorageUsed() {
  const { data, error, refetch } = useGet('GET /server/storage');
  return (
    <Part title="Storage">
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows count={7} />
      ) : (
        <>
          <p>
            <strong title={`${exact(data.totalBytes)} bytes`}>{bytes(data.totalBytes)}</strong> used,{' '}
            {bytes(data.freeBytes)} free{' '}
            <span className="muted">
              · measured <RelativeTime at={data.measuredAt} />
            </span>
            {!data.isComplete && ' · there are too many files to count all of them'}
          </p>
          <ul className={classes['sizes']}>
            {data.items.map(({ kind, sizeBytes, files }) => (
              <li key={kind} title={`${exact(sizeBytes)} bytes in ${exact(files)} files`}>
                <span>
                  {WORDS[kind][0]} <span className="muted">{WORDS[kind][1]}</span>
                </span>
                <span className={classes['meter']} aria-hidden="true">
                  <span style={{ width: percentOf(sizeBytes, data.totalBytes) }} />
                </span>
                <span className="num">{bytes(sizeBytes)}</span>
                <span className="num muted">{count(files)} files</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Part>
  );
}

const percentOf = (part: number, all: number): string => percent(all === 0 ? 0 : part / all).replace(/\s/g, '');
