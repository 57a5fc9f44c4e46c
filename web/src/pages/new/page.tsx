import { Code } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useGet } from '../../api/queries.ts';
import { Page, Part } from '../../ui/page.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { DropStatus } from './drop-status.tsx';
import { DropZone } from './drop-zone.tsx';
import { nameOf } from './name.ts';
import classes from './new.module.css';

/** A notebook and its data become a live model: by dropping them, or by the commands that do the same. */
export default function NewModelPage() {
  return (
    <Page title="New model">
      <NewModel />
      <Earlier />
    </Page>
  );
}

export function NewModel() {
  const navigate = useNavigate();
  return (
    <div className={classes['ways']}>
      <DropZone onSent={(id) => void navigate({ to: '/new/$id', params: { id } })}>
        <h2>Drop a notebook and its data here</h2>
        <p className="muted">
          A notebook or script with its files, or a whole folder. It is run as it is, its model is found and proven, and
          the first version waits for your approval. The code runs on the server's machine, with your rights.
        </p>
      </DropZone>
      <section className={classes['commands']}>
        <h2>The same on a command line</h2>
        <Code block>{'levain adopt churn.ipynb\nlevain run'}</Code>
        <p className="muted">Code that uses MLflow logs here with one line:</p>
        <Code block>{`mlflow.set_tracking_uri("${document.baseURI.replace(/\/$/, '')}")`}</Code>
      </section>
    </div>
  );
}

function Earlier() {
  const { data } = useGet('GET /drops');
  if (!data || data.items.length === 0) return null;
  return (
    <Part title="Dropped before">
      <ul className={classes['earlier']}>
        {data.items.map((drop) => (
          <li key={drop.id}>
            <DropStatus state={drop.state} />
            <Link to="/new/$id" params={{ id: drop.id }}>
              {nameOf(drop)}
            </Link>
            <RelativeTime at={drop.createdAt} />
          </li>
        ))}
      </ul>
    </Part>
  );
}
