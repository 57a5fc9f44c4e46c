import { NewModel } from '../new/page.tsx';
import classes from './home.module.css';

/** An empty instance: drop something, or the commands that do the same. */
export function FirstRun() {
  return (
    <section className={classes['part']}>
      <h1>No model yet</h1>
      <NewModel />
    </section>
  );
}
