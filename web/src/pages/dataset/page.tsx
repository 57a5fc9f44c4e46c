import { SegmentedControl } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Page } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { useView } from '../../ui/view-state.ts';
import { Columns } from './columns.tsx';
import { Compare } from './compare.tsx';
import { Contract } from './contract.tsx';
import classes from './dataset.module.css';
import { Look } from './look.tsx';
import { SampleRows } from './rows.tsx';
import { UsedBy } from './used-by.tsx';
import { VersionFacts, Versions } from './versions.tsx';

type VersionList = AnswerOf<'GET /datasets/:name/versions'>['items'];
export type Summary = VersionList[number];
export type Version = AnswerOf<'GET /datasets/:name/versions/:version'>;
export type Uses = AnswerOf<'GET /datasets/:name/uses'>;

/** A dataset: its versions, and of the one that is chosen columns, contract, rows, what changed, who reads it. */
export default function DatasetPage() {
  const { name } = useParams({ strict: false }) as { name: string };
  const versions = useGet('GET /datasets/:name/versions', { params: { name }, query: { limit: 200 } });
  const uses = useGet('GET /datasets/:name/uses', { params: { name } });
  const [view, change] = useView();
  const { data, error, refetch } = versions;
  const isNew = error?.status === 404 && (uses.data?.pipelines.length ?? 0) > 0;
  if (error && !data && !isNew) return <Failure error={error} retry={() => void refetch()} />;
  if (!data && !isNew) return <Rows count={10} />;
  const items = data?.items ?? [];
  const chosen = items.find(({ version }) => String(version) === view['version']) ?? items[0];
  return (
    <Page
      title={<span className={classes['title']}>{name}</span>}
      status={<State versions={items} />}
      actions={
        <Look
          name={name}
          uses={uses.data}
          last={items[0]?.version}
          onLooked={(version) => change({ version: String(version) })}
        />
      }
    >
      {chosen ? (
        <>
          <Versions versions={items} chosen={chosen.version} uses={uses.data} />
          <One key={chosen.id} name={name} version={chosen.version} versions={items} uses={uses.data} />
        </>
      ) : (
        <>
          <Empty command={`levain data add ${name}`}>
            levain.yaml names this dataset, and nobody has looked at its source yet.
          </Empty>
          {uses.data && <UsedBy uses={uses.data} />}
        </>
      )}
    </Page>
  );
}

function State({ versions }: { readonly versions: readonly Summary[] }) {
  const [newest] = versions;
  if (!newest) return <Status health="unknown" word="never looked at" />;
  if (newest.state === 'refused') {
    const good = versions.find(({ state }) => state === 'ok');
    return (
      <Status health="bad" word={`v${newest.version} refused; runs see ${good ? `v${good.version}` : 'nothing'}`} />
    );
  }
  return (
    <Status
      health={newest.checks === 0 ? 'unknown' : 'good'}
      word={`v${newest.version}, ${newest.checks === 0 ? 'no contract' : 'contract kept'}`}
    />
  );
}

const PARTS = [
  { value: 'columns', label: 'Columns' },
  { value: 'contract', label: 'Contract' },
  { value: 'rows', label: 'Rows' },
  { value: 'compare', label: 'Compare' },
  { value: 'uses', label: 'Read by' },
] as const;

interface OneProps {
  readonly name: string;
  readonly version: number;
  readonly versions: readonly Summary[];
  readonly uses: Uses | undefined;
}

function One({ name, version, versions, uses }: OneProps) {
  const [view, change] = useView();
  const { data, error, refetch } = useGet('GET /datasets/:name/versions/:version', { params: { name, version } });
  const part = PARTS.find(({ value }) => value === view['view'])?.value ?? 'columns';
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data || data.version !== version) return <Rows />;
  return (
    <section className={classes['one']} aria-label={`Version ${version}`}>
      <VersionFacts version={data} />
      <SegmentedControl
        size="xs"
        className={classes['parts'] ?? ''}
        aria-label="What is shown of the version"
        data={[...PARTS]}
        value={part}
        onChange={(next) => change({ view: next === 'columns' ? undefined : next })}
      />
      {part === 'columns' && <Columns version={data} />}
      {part === 'contract' && <Contract version={data} />}
      {part === 'rows' && <SampleRows version={data} />}
      {part === 'compare' && <Compare version={data} versions={versions} uses={uses} />}
      {part === 'uses' && (uses ? <UsedBy uses={uses} version={version} /> : <Rows />)}
    </section>
  );
}
