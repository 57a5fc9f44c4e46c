import { useGet } from '../../../api/queries.ts';
import { Chart } from '../../../ui/chart.tsx';
import { Part } from '../../../ui/page.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { inSeconds, type MonitorMark, SYNC, toMarks } from './state.ts';

interface Props {
  readonly model: string;
  readonly days: number;
  readonly marks: readonly MonitorMark[];
}

/** What the model answered, day by day: where its scores lie, and how often it gave which answer. */
export function Scores({ model, days, marks }: Props) {
  const { data, error, refetch } = useGet('GET /models/:model/monitor/scores', { params: { model }, query: { days } });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={6} />;
  const x = data.days.map(({ start }) => inSeconds(start));
  const at = (i: number) => data.days.map(({ quantiles }) => quantiles[i] ?? null);
  return (
    <Part title="Scores over time">
      <Chart
        title="Scores by day: mean, median with the middle half, and p5 to p95"
        x={x}
        time
        syncKey={SYNC}
        marks={toMarks(marks, ['deploy'])}
        yLabel="score"
        series={[
          {
            label: 'p5 to p95, mean',
            values: data.days.map(({ mean }) => mean),
            colour: '--series-5',
            dashed: true,
            band: { low: at(0), high: at(4) },
          },
          { label: 'p25 to p75, median', values: at(2), colour: '--series-1', band: { low: at(1), high: at(3) } },
        ]}
      />
    </Part>
  );
}
