import { useGet } from '../../../api/queries.ts';
import { placeOfData, placeOfVersion } from '../../../domain/places.ts';
import { Facts } from '../../../ui/facts.tsx';
import { count, exact, number, percent, signed } from '../../../ui/format.ts';
import { Id } from '../../../ui/id.tsx';
import { IntervalPlot } from '../../../ui/interval-plot.tsx';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import { RelativeTime } from '../../../ui/time.tsx';
import { type Gate, gateHealth, metricWords, type Version } from './verdict.ts';
import classes from './versions.module.css';

/** Challenger and champion on the same rows: the paired difference with its interval, slices, and who trained on what. */
export function GatePart({ version }: { readonly version: Version }) {
  const { gate } = version;
  return (
    <div id="gate">
      <Part title="Gate">
        {gate === null ? (
          <p className="muted">
            {version.rehearsal === null
              ? 'The gate has not run for this version.'
              : 'A version that was made for a rehearsal is never compared, and never answers real traffic.'}
          </p>
        ) : (
          <Measured version={version} gate={gate} />
        )}
      </Part>
    </div>
  );
}

function Measured({ version, gate }: { readonly version: Version; readonly gate: Gate }) {
  const metric = metricWords(gate);
  return (
    <>
      <p className={classes['text']}>{gate.sentence}</p>
      <div className={classes['two']}>
        <div className={classes['measured']}>
          {gate.difference && (
            <IntervalPlot
              title={`Paired difference in ${metric} on ${count(gate.rows)} rows, with its 95 % interval: ${signed(gate.difference.mean)}`}
              sides={['worse', 'better']}
              rows={[
                {
                  label: `v${version.version} − ${against(gate)}`,
                  value: gate.difference.mean,
                  low: gate.difference.low,
                  high: gate.difference.high,
                  colour: `--${gateHealth(gate.outcome)}`,
                },
              ]}
            />
          )}
          <Trained version={version} gate={gate} />
        </div>
        <Facts facts={factsOf(version, gate)} />
      </div>
      {gate.slices.length > 0 && <Slices gate={gate} />}
    </>
  );
}

const against = ({ championVersion }: Gate): string => (championVersion === null ? 'base rate' : `v${championVersion}`);

const factsOf = (version: Version, gate: Gate) =>
  [
    ['metric', `${metricWords(gate)}, ${gate.better} is better`],
    [
      `v${version.version}`,
      <span key="it" title={exact(gate.challenger)}>
        {number(gate.challenger, 4)}
      </span>,
    ],
    [
      against(gate),
      <span key="other" title={exact(gate.champion)}>
        {number(gate.champion, 4)}
      </span>,
    ],
    [
      'AUC',
      <span key="auc" title={exact(gate.auc)}>
        {number(gate.auc)}
      </span>,
    ],
    [
      'rows',
      gate.rows === gate.totalRows ? count(gate.rows) : `${count(gate.rows)} drawn from ${count(gate.totalRows)}`,
    ],
    ['rows digest', gate.rowsDigest === null ? '—' : <Id key="rows" id={gate.rowsDigest} isDigest />],
    [
      'decisions that change',
      gate.flips === null ? '—' : `${count(gate.flips)} (${percent(gate.rows > 0 ? gate.flips / gate.rows : null)})`,
    ],
    ['ran', <RelativeTime key="at" at={gate.at} />],
  ] as const;

interface Training {
  readonly version: number;
  readonly isIt: boolean;
  readonly facts: Version | undefined;
}

/** Neither side may have seen the rows that they are compared on. */
function Trained({ version, gate }: { readonly version: Version; readonly gate: Gate }) {
  const champion = useGet(
    'GET /models/:model/versions/:version',
    { params: { model: version.model, version: gate.championVersion ?? 0 } },
    { enabled: gate.championVersion !== null },
  );
  const rows: readonly Training[] = [
    { version: version.version, isIt: true, facts: version },
    ...(gate.championVersion === null ? [] : [{ version: gate.championVersion, isIt: false, facts: champion.data }]),
  ];
  return (
    <div className={classes['group']}>
      <h3>Who trained on what</h3>
      <Table
        label="Who trained on what"
        rows={rows}
        columns={trainingColumns(version.model)}
        rowId={(row) => String(row.version)}
      />
      <p
        className={gate.overlap > 0 ? undefined : 'muted'}
        style={gate.overlap > 0 ? { color: 'var(--bad)' } : undefined}
      >
        {gate.overlap > 0
          ? `${count(gate.overlap)} rows of the gate were trained on.`
          : `None of the ${count(gate.rows)} rows of the gate was trained on by either.`}
      </p>
    </div>
  );
}

const trainingColumns = (model: string): readonly Column<Training>[] => [
  {
    id: 'version',
    header: 'version',
    value: ({ version }) => version,
    cell: ({ version, isIt }) =>
      isIt ? `v${version}` : <GoLink to={placeOfVersion(model, version)}>v{version}</GoLink>,
  },
  {
    id: 'data',
    header: 'data',
    value: ({ facts }) => facts?.data.map(({ dataset, version: n }) => `${dataset} v${n}`).join(', '),
    cell: ({ facts }) =>
      facts?.data.map(({ dataset, version: n }) => (
        <GoLink key={dataset} to={placeOfData(dataset, n)}>
          {dataset} v{n}{' '}
        </GoLink>
      )) ?? '—',
  },
  {
    id: 'until',
    header: 'until',
    title: 'newer rows were not seen',
    value: ({ facts }) => facts?.data[0]?.asOf,
    cell: ({ facts }) => facts?.data[0]?.asOf?.slice(0, 16).replace('T', ' ') ?? '—',
  },
  {
    id: 'rows',
    header: 'training rows',
    numeric: true,
    value: ({ facts }) => facts?.trainingRows,
    cell: ({ facts }) => <span title={exact(facts?.trainingRows)}>{count(facts?.trainingRows)}</span>,
  },
];

type Slice = Gate['slices'][number];

/** Whether it is better for all, or at the cost of some. */
function Slices({ gate }: { readonly gate: Gate }) {
  const sign = gate.better === 'lower' ? -1 : 1;
  const better = ({ champion, challenger }: Slice): number | null =>
    champion === null || challenger === null ? null : sign * (challenger - champion);
  const columns: readonly Column<Slice>[] = [
    { id: 'slice', header: 'slice', value: ({ column, value }) => `${column} = ${value}` },
    { id: 'rows', header: 'rows', numeric: true, value: ({ rows }) => rows, cell: ({ rows }) => count(rows) },
    {
      id: 'it',
      header: metricWords(gate),
      numeric: true,
      value: ({ challenger }) => challenger,
      cell: ({ challenger }) => <span title={exact(challenger)}>{number(challenger)}</span>,
    },
    {
      id: 'champion',
      header: against(gate),
      numeric: true,
      value: ({ champion }) => champion,
      cell: ({ champion }) => <span title={exact(champion)}>{number(champion)}</span>,
    },
    {
      id: 'better',
      header: 'better by',
      title: 'positive is better',
      numeric: true,
      value: better,
      cell: (slice) => {
        const by = better(slice);
        return <span style={by !== null && by < 0 ? { color: 'var(--bad)' } : undefined}>{signed(by)}</span>;
      },
    },
  ];
  return (
    <div className={classes['group']}>
      <h3>Slices</h3>
      <Table
        label="Slices"
        rows={gate.slices}
        columns={columns}
        rowId={({ column, value }) => `${column}=${value}`}
        height={320}
      />
    </div>
  );
}
