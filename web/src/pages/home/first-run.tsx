import { Code } from '@mantine/core';
import classes from './home.module.css';

/** An empty instance: the commands that fill it. */
export function FirstRun() {
  return (
    <section className={classes['part']}>
      <h1>No model yet</h1>
      <p>A notebook and its data become a live, monitored model with:</p>
      <Code block>{'levain adopt churn.ipynb\nlevain run'}</Code>
      <p className="muted">Existing MLflow code logs here with one line:</p>
      <Code block>{`mlflow.set_tracking_uri("${location.origin}")`}</Code>
    </section>
  );
}
