import { Button, Code } from '@mantine/core';
import { Link, useParams } from '@tanstack/react-router';
import { useChange, useGet } from '../../api/queries.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { Facts } from '../../ui/facts.tsx';
import { bytes } from '../../ui/format.ts';
import { Page, Part } from '../../ui/page.tsx';
import { Failure, Rows } from '../../ui/states.tsx';
import { DropLog } from './drop-log.tsx';
import { DropStatus } from './drop-status.tsx';
import { DropZone } from './drop-zone.tsx';
import { type Drop, nameOf } from './name.ts';
import classes from './new.module.css';
import { StartForm } from './start-form.tsx';

/** One drop: its files, what the commands say, what they found, and what to do next. */
export default function DropPage() {
  const { id } = useParams({ from: '/new/$id' });
  const { data: drop, error, refetch } = useGet('GET /drops/:id', { params: { id } });
  if (error && !drop) return <Failure error={error} retry={() => void refetch()} />;
  if (!drop) return <Rows />;
  return (
    <Page title={nameOf(drop)} status={<DropStatus state={drop.state} />} actions={<Actions drop={drop} />}>
      <Outcome drop={drop} />
      {drop.attempts > 0 && (
        <Part title="What the commands say">
          <DropLog key={drop.attempts} id={id} onEnd={() => void refetch()} />
        </Part>
      )}
      {drop.written.length > 0 && <Written files={drop.written} />}
      <Files drop={drop} onChange={() => void refetch()} />
    </Page>
  );
}

function Actions({ drop }: { readonly drop: Drop }) {
  const cancel = useChange('POST /drops/:id/cancel');
  if (drop.state === 'running')
    return (
      <Confirm
        verb="Cancel"
        danger
        consequence="The commands are stopped. The files stay, and what was applied or trained before stays as it is."
        act={() => cancel.mutateAsync({ params: { id: drop.id } })}
      />
    );
  if (!drop.model || (drop.state !== 'done' && drop.state !== 'waiting')) return null;
  return (
    <Button
      size="xs"
      renderRoot={(props) => (
        <Link
          to={drop.state === 'waiting' ? '/m/$name/versions' : '/m/$name'}
          params={{ name: drop.model! }}
          {...props}
        />
      )}
    >
      {drop.state === 'waiting' ? `Look at ${drop.model} and approve` : `Open ${drop.model}`}
    </Button>
  );
}

/** In a sentence what came of it; where it failed, why, and the form that tries again. */
function Outcome({ drop }: { readonly drop: Drop }) {
  if (drop.state === 'running') return <p>{runningText(drop)}</p>;
  if (drop.state === 'receiving') return <StartForm drop={drop} />;
  const failed = drop.outcomes.find(({ ok, error }) => !ok && error !== null);
  return (
    <>
      {failed?.error && (
        <section className={classes['refused']} role="alert">
          <h2>{failed.command} did not go through</h2>
          <p className={classes['message']}>{failed.error.message}</p>
          {failed.error.hint && (
            <p>{isCommand(failed.error.hint) ? <Code>{failed.error.hint}</Code> : failed.error.hint}</p>
          )}
        </section>
      )}
      {drop.summary && <p>{drop.summary}</p>}
      {(drop.state === 'failed' || drop.state === 'cancelled') && <StartForm drop={drop} />}
    </>
  );
}

const isCommand = (hint: string): boolean => hint.startsWith('levain ');

const runningText = ({ model }: Drop): string =>
  model === null
    ? 'The notebook is run cell by cell, and its model is looked for.'
    : `${model} was found and proven; now it is filed, gated and put live as its file says.`;

function Written({ files }: { readonly files: Drop['written'] }) {
  return (
    <Part title="What adopt wrote">
      {files.map(({ path, text }) => (
        <details key={path} open={path === 'levain.yaml'}>
          <summary className="mono">{path}</summary>
          <pre className={classes['text']} tabIndex={0} aria-label={path}>
            {text}
          </pre>
        </details>
      ))}
    </Part>
  );
}

function Files({ drop, onChange }: { readonly drop: Drop; readonly onChange: () => void }) {
  return (
    <Part title="Files">
      <Facts
        facts={[
          [
            'Folder on the server',
            <span key="folder" className="mono">
              {drop.folder}
            </span>,
          ],
          ...drop.files.map(
            ({ path, sizeBytes, isThere }) =>
              [path, isThere ? bytes(sizeBytes) : `${bytes(sizeBytes)}, not here as it was sent`] as const,
          ),
        ]}
      />
      {drop.state !== 'running' && (
        <DropZone drop={drop.id} onSent={onChange} secondary>
          <p className="muted">Drop files here that it needs too, such as data that the notebook did not find.</p>
        </DropZone>
      )}
    </Part>
  );
}
