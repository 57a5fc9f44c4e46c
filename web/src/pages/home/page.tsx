import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { useGet } from '../../api/queries.ts';
import { byWorst, ModelTable } from '../../domain/model-table.tsx';
import { Failure, Rows } from '../../ui/states.tsx';
import classes from './home.module.css';
import { NeedsYou } from './needs-you.tsx';

/** Only an empty instance needs it. */
const FirstRun = lazy(() => import('./first-run.tsx').then((all) => ({ default: all.FirstRun })));

/** So many models stand on the home page; all of them have a page that searches. */
const MODELS_SHOWN = 50;

/** What needs somebody, then one row a model, the worst first. */
export default function HomePage() {
  const { data, error, refetch } = useGet('GET /status');
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={8} />;
  if (data.models.length === 0 && data.needsYou.length === 0)
    return (
      <Suspense fallback={<Rows count={8} />}>
        <FirstRun />
      </Suspense>
    );
  const models = byWorst(data.models).slice(0, MODELS_SHOWN);
  const more = data.models.length - models.length;
  return (
    <div className={classes['page']}>
      <NeedsYou needs={data.needsYou} />
      <section className={classes['part']}>
        <div className={classes['head']}>
          <h2>Models</h2>
          {more > 0 && <Link to="/models">all {data.models.length} models</Link>}
        </div>
        <ModelTable models={models} />
        {more > 0 && (
          <p className="muted">
            The worst {MODELS_SHOWN} are shown; {more} more are on the page of models.
          </p>
        )}
      </section>
    </div>
  );
}
