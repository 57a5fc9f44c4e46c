import { Code } from '@mantine/core';
import { useChange, useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { Facts } from '../../ui/facts.tsx';
import { count, interval, number } from '../../ui/format.ts';
import { Part, Split } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { type Health, Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { useViewState } from '../../ui/view-state.ts';
import { useModelName } from './layout.tsx';

type Version = AnswerOf<'GET /models/:model/versions/:version'>;

const OUTCOMES: Readonly<Record<string, Health>> = {
  passed: 'good',
  failed: 'bad',
  refused: 'bad',
  not_measured: 'unknown',
};

const COLUMNS: readonly Column<Version>[] = [
  {
    id: 'version',
    header: 'version',
    numeric: true,
    value: ({ version }) => version,
    cell: ({ version }) => `v${version}`,
  },
  { id: 'aliases', header: 'alias', value: ({ aliases }) => aliases.join(', ') || null },
  {
    id: 'gate',
    header: 'gate',
    value: ({ gate }) => gate?.outcome,
    cell: ({ gate }) =>
      gate ? <Status health={OUTCOMES[gate.outcome] ?? 'unknown'} word={gate.outcome.replace('_', ' ')} /> : '—',
  },
  { id: 'metric', header: 'metric', value: ({ gate }) => gate?.metric },
  {
    id: 'challenger',
    header: 'it',
    numeric: true,
    value: ({ gate }) => gate?.challenger,
    cell: ({ gate }) => number(gate?.challenger),
  },
  {
    id: 'champion',
    header: 'champion then',
    numeric: true,
    value: ({ gate }) => gate?.champion,
    cell: ({ gate }) => number(gate?.champion),
  },
  { id: 'approval', header: 'approval', value: ({ approval }) => approval.replace('_', ' ') },
  {
    id: 'rows',
    header: 'training rows',
    numeric: true,
    value: ({ trainingRows }) => trainingRows,
    cell: ({ trainingRows }) => count(trainingRows),
  },
  {
    id: 'made',
    header: 'made',
    value: ({ createdAt }) => createdAt,
    cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
  },
  { id: 'notes', header: '', value: ({ rehearsal, draft }) => (rehearsal ? 'REHEARSAL' : draft ? 'draft' : null) },
];

/** Every version with its verdict; one of them whole, to approve, reject or deploy. */
export default function VersionsTab() {
  const model = useModelName();
  const { data, error, refetch } = useGet('GET /models/:model/versions', { params: { model } });
  const [chosen, choose] = useViewState('version');
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows />;
  const versions = data.items as readonly Version[];
  if (versions.length === 0) return <Empty command="levain run">No version yet.</Empty>;
  const version = versions.find((each) => String(each.version) === chosen) ?? versions[0]!;
  return (
    <>
      <Table
        label="Versions"
        rows={versions}
        columns={COLUMNS}
        rowId={(each) => String(each.version)}
        selected={new Set([String(version.version)])}
        onOpen={(each) => choose(String(each.version))}
        height={320}
      />
      <One key={version.id} version={version} />
    </>
  );
}

function One({ version }: { readonly version: Version }) {
  const { gate, parity } = version;
  return (
    <Part title={`${version.model} v${version.version}`} tools={<Decide version={version} />}>
      {gate && <p style={{ maxWidth: '90ch' }}>{gate.sentence}</p>}
      <Split
        side={
          <Facts
            facts={[
              [
                'parity',
                parity
                  ? `at most ${number(parity.maxDifference)} on ${parity.rows} golden rows, ${parity.flips} labels differ`
                  : '—',
              ],
              [
                'engine',
                version.engine
                  ? `${version.engine.kind === 'levain' ? 'our own' : 'Python'} (${version.engine.reason})`
                  : '—',
              ],
              [
                'difference',
                gate?.difference ? interval(gate.difference.mean, gate.difference.low, gate.difference.high) : '—',
              ],
              ['decisions that change', count(gate?.flips)],
              ['AUC', number(gate?.auc)],
              ['decided', version.decision ? `${version.decision.by}: ${version.decision.reason ?? ''}` : '—'],
              [
                'compare',
                <Code key="c">
                  levain models show {version.model}@v{version.version}
                </Code>,
              ],
            ]}
          />
        }
      >
        <Part title="Signature: raw rows">
          <Table
            label="Signature"
            rows={version.signature?.inputs ?? []}
            columns={[
              { id: 'name', header: 'column', value: ({ name }) => name },
              { id: 'type', header: 'type', value: ({ type }) => type },
              { id: 'required', header: 'required', value: ({ required }) => (required ? 'yes' : 'no') },
            ]}
            rowId={({ name }) => name}
            height={260}
          />
        </Part>
        <Part title="Metrics">
          <Table
            label="Metrics"
            rows={Object.entries(version.metrics)}
            columns={[
              { id: 'name', header: 'metric', value: ([name]) => name },
              {
                id: 'value',
                header: 'value',
                numeric: true,
                value: ([, value]) => value,
                cell: ([, value]) => <span title={String(value)}>{number(value)}</span>,
              },
            ]}
            rowId={([name]) => name}
            height={260}
          />
        </Part>
      </Split>
    </Part>
  );
}

/** Approving says what one approves; the sentence is the server's. */
function Decide({ version }: { readonly version: Version }) {
  const params = { model: version.model, version: version.version };
  const isWaiting = version.approval === 'waiting';
  const sentence = useGet('GET /models/:model/versions/:version/approval', { params }, { enabled: isWaiting });
  const approve = useChange('POST /models/:model/versions/:version/approve');
  const reject = useChange('POST /models/:model/versions/:version/reject');
  const deploy = useChange('POST /deployments');
  if (isWaiting) {
    const words = (sentence.data as { sentence?: string } | undefined)?.sentence ?? 'Reading what you would approve …';
    return (
      <span style={{ display: 'inline-flex', gap: 8 }}>
        <Confirm
          verb="Approve"
          primary
          reason="optional"
          consequence={words}
          act={(reason) => approve.mutateAsync({ params, body: { reason } } as never)}
        />
        <Confirm
          verb="Reject"
          reason="needed"
          consequence={`v${version.version} will not be rolled out. The champion stays.`}
          act={(reason) => reject.mutateAsync({ params, body: { reason } } as never)}
        />
      </span>
    );
  }
  if (version.approval !== 'approved' || version.aliases.includes('champion') || version.rehearsal) return null;
  return (
    <Confirm
      verb="Deploy"
      consequence={`v${version.version} is rolled out against what is live now, in the steps that the applied file names.`}
      act={() => deploy.mutateAsync({ body: { model: version.model, version: version.version } } as never)}
    />
  );
}
