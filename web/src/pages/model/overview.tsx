import { Link } from '@tanstack/react-router';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { healthOf } from '../../domain/lights.tsx';
import { Lineage } from '../../domain/lineage.tsx';
import { Chart } from '../../ui/chart.tsx';
import { Facts } from '../../ui/facts.tsx';
import { count, interval, number } from '../../ui/format.ts';
import { Part, Split } from '../../ui/page.tsx';
import { Empty, Rows } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { type ModelStatus, useModel } from './layout.tsx';

type Version = AnswerOf<'GET /models/:model/versions/:version'>;

/** What is live, how it does now against what the gate saw, and what it was made of. */
export default function OverviewTab() {
  const model = useModel();
  if (!model) return <Rows />;
  if (model.version === null)
    return <Empty command={`levain approve ${model.name}@v1`}>No version of {model.name} is live yet.</Empty>;
  return <Live model={model} version={model.version} />;
}

function Live({ model, version }: { readonly model: ModelStatus; readonly version: number }) {
  const { data } = useGet('GET /models/:model/versions/:version', { params: { model: model.name, version } });
  if (!data) return <Rows />;
  return (
    <Split side={<Facts facts={factsOf(data, model)} />}>
      <Part title="Lights">
        <LightSentences model={model} />
      </Part>
      <PerformanceNow model={model} version={data} />
      <Part title="From data to endpoint">
        <Lineage version={data} endpoint={model.endpoint} />
      </Part>
    </Split>
  );
}

function factsOf(version: Version, model: ModelStatus) {
  const { gate, parity } = version;
  return [
    ['live', `v${version.version}`],
    ['last deploy', <RelativeTime key="deploy" at={model.lastDeploy?.at} />],
    ['gate', gate ? `${gate.outcome}: ${gate.metric} ${number(gate.challenger)}` : 'has not run'],
    ['better by', gate?.difference ? interval(gate.difference.mean, gate.difference.low, gate.difference.high) : '—'],
    ['gate rows', count(gate?.rows)],
    ['parity', parity ? `at most ${number(parity.maxDifference)} on ${parity.rows} rows` : '—'],
    ['trained on', version.data.map(({ dataset, version: n }) => `${dataset} v${n}`).join(', ') || '—'],
    ['training rows', count(version.trainingRows)],
    ['engine', version.engine?.kind === 'levain' ? 'our own' : 'Python worker'],
    ['approved by', version.decision ? version.decision.by : version.approval],
  ] as const;
}

function LightSentences({ model }: { readonly model: ModelStatus }) {
  return (
    <Facts
      facts={(['service', 'data', 'predictions', 'performance', 'business'] as const).map((name) => [
        (<Status key={name} health={healthOf(model.lights[name].state)} word={name} />) as never,
        model.lights[name].sentence,
      ])}
    />
  );
}

/** The gate's metric by day of the predictions, beside what the gate measured. */
function PerformanceNow({ model, version }: { readonly model: ModelStatus; readonly version: Version }) {
  const { data } = useGet('GET /models/:model/monitor', { params: { model: model.name }, query: { days: 60 } });
  const days = (data?.performance ?? []) as readonly {
    readonly day: string;
    readonly loss?: number | null;
    readonly metrics?: Readonly<Record<string, number>>;
  }[];
  const metric = version.gate?.metric ?? 'log_loss';
  const values = days.map((day) => day.metrics?.[metric] ?? day.loss ?? null);
  return (
    <Part
      title="Performance now"
      tools={
        <Link to="/m/$name/monitor" params={{ name: model.name }}>
          monitor
        </Link>
      }
    >
      <Chart
        title={`${metric} by day of the predictions, against ${number(version.gate?.challenger)} at the gate`}
        x={days.map(({ day }) => Date.parse(day) / 1_000)}
        time
        series={[
          { label: metric, values, colour: '--champion' },
          {
            label: 'at the gate',
            values: days.map(() => version.gate?.challenger ?? null),
            colour: '--reference',
            dashed: true,
          },
        ]}
      />
    </Part>
  );
}
