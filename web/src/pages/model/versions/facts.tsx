import { placeOfRun, placeOfVersion, placeOfWhy } from '../../../domain/places.ts';
import { type Fact, Facts } from '../../../ui/facts.tsx';
import { count, shortId } from '../../../ui/format.ts';
import { Id } from '../../../ui/id.tsx';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { RelativeTime } from '../../../ui/time.tsx';
import type { Version } from './verdict.ts';
import classes from './versions.module.css';

/** What a version is and where it comes from, by its ids. */
export function VersionFacts({ version }: { readonly version: Version }) {
  const { id, createdAt, task, classes, words, trainingRows, environment, source, model, version: n } = version;
  return (
    <Part title="Facts">
      <Facts
        facts={[
          ['id', <Id key="id" id={id} />],
          ['made', <RelativeTime key="made" at={createdAt} />],
          ...madeFacts(version),
          ['task', task ?? '—'],
          ['classes', classes?.map(String).join(', ') || '—'],
          ...(words ? ([['in the data’s words', words.map(String).join(', ')]] as const) : []),
          ['training rows', count(trainingRows)],
          ['engine', engineWords(version)],
          ['environment', environment === null ? '—' : <Id key="env" id={environment} isDigest />],
          ['code', source === null ? '—' : <Id key="src" id={source} isDigest />],
          [
            'why',
            <GoLink key="why" to={placeOfWhy(`${model}@v${n}`)}>
              why it is as it is
            </GoLink>,
          ],
        ]}
      />
    </Part>
  );
}

function madeFacts({ model, madeOf, runId, pipelineRunId, rehearsal }: Version): readonly Fact[] {
  return [
    [
      'pipeline run',
      pipelineRunId === null ? (
        '—'
      ) : (
        <GoLink key="p" to={placeOfRun(model, pipelineRunId)}>
          {shortId(pipelineRunId)}
        </GoLink>
      ),
    ],
    [
      'run',
      runId === null ? (
        '—'
      ) : (
        <GoLink key="r" to={`/runs/${encodeURIComponent(runId)}`}>
          {shortId(runId)}
        </GoLink>
      ),
    ],
    ...(madeOf
      ? [
          [
            'made of',
            <span key="of" className={classes['among']}>
              <GoLink to={placeOfVersion(model, madeOf.version)}>v{madeOf.version}</GoLink> with a fault (
              {madeOf.fault.kind}), for a <GoLink to={placeOfWhy(rehearsal ?? '')}>rehearsal</GoLink>
            </span>,
          ] as const,
        ]
      : []),
  ];
}

function engineWords({ engine }: Version): string {
  if (!engine) return '—';
  return engine.kind === 'levain' ? `our own (read by ${engine.reason})` : `Python worker (${engine.reason})`;
}
