import { Code as Mono } from '@mantine/core';
import { useGet } from '../../api/queries.ts';
import { placeOfData } from '../../domain/places.ts';
import { Facts } from '../../ui/facts.tsx';
import { count } from '../../ui/format.ts';
import { Id } from '../../ui/id.tsx';
import { GoLink } from '../../ui/link.tsx';
import type { Run } from './page.tsx';
import classes from './run.module.css';

interface Used {
  readonly name: string;
  readonly versionId: string;
}

/** Dataset versions that the step saw, and what the code itself said it read. */
export function DataUsed({ run, datasets }: { readonly run: Run; readonly datasets: readonly Used[] }) {
  if (datasets.length === 0 && run.inputs.length === 0) return <p className="muted">None is known.</p>;
  return (
    <ul className={classes['list']}>
      {datasets.map((used) => (
        <li key={used.versionId}>
          <DatasetVersion {...used} />
        </li>
      ))}
      {run.inputs.map(({ name, digest, context, source, sourceType }) => (
        <li key={`${name} ${digest}`}>
          <span title={source}>{name}</span>{' '}
          <span className="muted">
            {context === null ? '' : `for ${context}, `}
            {sourceType}, digest <code>{digest}</code>
          </span>
        </li>
      ))}
    </ul>
  );
}

const MAX_VERSIONS = 200;

function DatasetVersion({ name, versionId }: Used) {
  const { data } = useGet('GET /datasets/:name/versions', { params: { name }, query: { limit: MAX_VERSIONS } });
  const found = data?.items.find(({ id }) => id === versionId);
  return (
    <>
      <GoLink to={placeOfData(name, found?.version)}>
        {name} {found ? `v${found.version}` : ''}
      </GoLink>{' '}
      <span className="muted">{found ? `${count(found.rowCount)} rows` : versionId.slice(-7)}</span>
    </>
  );
}

/** What ran, from which commit, in which environment; with what was changed and not committed. */
export function Code({ run, diff }: { readonly run: Run; readonly diff: string | undefined }) {
  const { tags } = run;
  const commit = tags['mlflow.source.git.commit'];
  const source = tags['mlflow.source.name'];
  const facts = [
    [
      'source',
      source === undefined ? null : (
        <span key="s" title={source}>
          {source.split('/').at(-1)}
        </span>
      ),
    ],
    ['kind', tags['mlflow.source.type']?.toLowerCase()],
    ['commit', commit === undefined ? null : <Id key="c" id={commit} />],
    ['branch', tags['mlflow.source.git.branch']],
    ['repository', tags['mlflow.source.git.repoURL']],
    ['snapshot', tags['levain.source'] === undefined ? null : <Id key="p" id={tags['levain.source']} />],
    ['environment', tags['levain.env'] === undefined ? null : <Id key="e" id={tags['levain.env']} />],
  ] as const;
  const known = facts.filter(([, value]) => value !== null && value !== undefined);
  if (known.length === 0 && diff === undefined) return <p className="muted">None is known.</p>;
  return (
    <>
      <Facts facts={known} />
      {diff !== undefined && (
        <details className={classes['diff']}>
          <summary>Changes that were not committed</summary>
          <Mono block>{diff}</Mono>
        </details>
      )}
    </>
  );
}
