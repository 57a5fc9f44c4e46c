import { Code } from '@mantine/core';
import { useGet } from '../../../api/queries.ts';
import { Part } from '../../../ui/page.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import { RelativeTime } from '../../../ui/time.tsx';
import classes from './pipeline.module.css';
import type { Run } from './words.ts';

/** The levain.yaml that triggers, rollouts and monitors go by. */
export function AppliedFile({ pipeline }: { readonly pipeline: string }) {
  const { data, error } = useGet('GET /pipelines/:name', { params: { name: pipeline } });
  if (error && !data) return <p className="muted">Nothing is applied: {error.message}</p>;
  if (!data) return null;
  return (
    <Part title="Applied levain.yaml">
      <p className={`${classes['sentence']} muted`}>
        applied <RelativeTime at={data.appliedAt} /> from <code>{data.folder}</code>, file{' '}
        <code title={data.digest}>{data.digest.slice(0, 7)}</code>, code{' '}
        <code title={data.sourceDigest}>{data.sourceDigest.slice(0, 7)}</code>. It changes by <Code>levain apply</Code>{' '}
        only.
      </p>
      <Code block tabIndex={0} aria-label="The applied file" className={classes['file'] ?? ''}>
        {data.text}
      </Code>
    </Part>
  );
}

interface Difference {
  readonly key: string;
  readonly before?: string;
  readonly after?: string;
}

const COLUMNS: readonly Column<Difference>[] = [
  { id: 'key', header: 'key', value: ({ key }) => key, cell: ({ key }) => <code>{key}</code> },
  { id: 'before', header: 'applied now', value: ({ before }) => before ?? null },
  { id: 'after', header: 'in this run', value: ({ after }) => after ?? null },
];

/** Where the file of a run says otherwise than the applied one; nothing where they agree. */
export function Changes({ run }: { readonly run: Run }) {
  const { data } = useGet('GET /pipeline-runs/:id/file', { params: { id: run.id } });
  if (!data || (data.changes.length === 0 && data.sameSource)) return null;
  const what = [
    ...(data.changes.length > 0 ? [`its file says otherwise in ${data.changes.length} places`] : []),
    ...(data.sameSource ? [] : ['its code is another']),
  ];
  return (
    <details className={classes['more']} open={run.draft}>
      <summary>
        {run.draft ? 'A draft' : 'Not what is applied now'}: {what.join(', and ')}
      </summary>
      {data.changes.length > 0 && (
        <Table label="Differences" rows={data.changes} columns={COLUMNS} rowId={({ key }) => key} height={240} />
      )}
    </details>
  );
}
