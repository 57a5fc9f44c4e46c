import { useGet } from '../../api/queries.ts';
import { Failure, Rows } from '../../ui/states.tsx';
import { FirstRun } from './first-run.tsx';
import classes from './home.module.css';
import { ModelRows } from './model-rows.tsx';
import { NeedsYou } from './needs-you.tsx';

/** What needs somebody, then one row a model. */
export default function HomePage() {
  const { data, error, refetch } = useGet('GET /status');
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={8} />;
  if (data.models.length === 0) return <FirstRun />;
  return (
    <div className={classes['page']}>
      <NeedsYou needs={data.needsYou} />
      <section className={classes['part']}>
        <h1>Models</h1>
        <ModelRows models={data.models} />
      </section>
    </div>
  );
}
