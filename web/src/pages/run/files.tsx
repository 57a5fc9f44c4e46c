import type { FileOwner } from '../../api/files.ts';
import { useGet } from '../../api/queries.ts';
import { bytes } from '../../ui/format.ts';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { useViewState } from '../../ui/view-state.ts';
import classes from './files.module.css';
import type { Run } from './page.tsx';
import { Preview } from './preview.tsx';

interface Choosing {
  readonly chosen: string;
  readonly choose: (path: string) => void;
}

/** The run's own files, and those of each model that it logged; a tree beside what the chosen file holds. */
export function Files({ run }: { readonly run: Run }) {
  const [at, setAt] = useViewState('at');
  const [file, setFile] = useViewState('file');
  const owners: readonly (FileOwner & { readonly label: string })[] = [
    { kind: 'runs', id: run.id, label: 'files of the run' },
    ...run.models.map(({ modelId, name }) => ({ kind: 'logged-models' as const, id: modelId, label: `model ${name}` })),
  ];
  const shown = owners.find(({ id }) => id === at) ?? owners[0]!;
  return (
    <div className={classes['files']}>
      <nav className={classes['tree']} aria-label="Artifacts">
        {owners.map((owner) => (
          <details key={owner.id} open={owner.id === shown.id || owners.length <= 3}>
            <summary>{owner.label}</summary>
            <Folder
              owner={owner}
              path=""
              chosen={owner.id === shown.id ? file : ''}
              choose={(path) => {
                setFile(path);
                setAt(owner.id === run.id ? undefined : owner.id);
              }}
            />
          </details>
        ))}
      </nav>
      {file === '' ? (
        <Empty>Choose a file to see what it holds.</Empty>
      ) : (
        <Preview key={`${shown.id} ${file}`} owner={shown} path={file} />
      )}
    </div>
  );
}

function Folder({ owner, path, chosen, choose }: Choosing & { readonly owner: FileOwner; readonly path: string }) {
  const runs = useGet(
    'GET /runs/:id/artifacts',
    { params: { id: owner.id }, query: { path } },
    { enabled: owner.kind === 'runs' },
  );
  const models = useGet(
    'GET /logged-models/:id/artifacts',
    { params: { id: owner.id }, query: { path } },
    { enabled: owner.kind === 'logged-models' },
  );
  const { data, error, refetch } = owner.kind === 'runs' ? runs : models;
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={2} />;
  if (data.elsewhere !== null)
    return <p className="muted">They are at {data.elsewhere}, where only the client can read them.</p>;
  if (data.items.length === 0) return <p className="muted">None.</p>;
  const items = data.items.slice(0, MAX_LISTED);
  return (
    <ul className={classes['folder']}>
      {items.map(({ name, isFolder, sizeBytes }) => {
        const whole = path === '' ? name : `${path}/${name}`;
        return (
          <li key={name}>
            {isFolder ? (
              <SubFolder owner={owner} path={whole} name={name} chosen={chosen} choose={choose} />
            ) : (
              <button
                type="button"
                title={whole}
                aria-current={whole === chosen || undefined}
                className={classes['file']}
                onClick={() => choose(whole)}
              >
                <span>{name}</span>
                <span className="muted">{bytes(sizeBytes)}</span>
              </button>
            )}
          </li>
        );
      })}
      {data.items.length > MAX_LISTED && <li className="muted">{data.items.length - MAX_LISTED} more.</li>}
    </ul>
  );
}

const MAX_LISTED = 1_000;

function SubFolder({
  name,
  ...rest
}: Choosing & { readonly owner: FileOwner; readonly path: string; readonly name: string }) {
  const [open, setOpen] = useViewState('open');
  const paths = open.split('|').filter(Boolean);
  const isOpen = paths.includes(rest.path) || rest.chosen.startsWith(`${rest.path}/`);
  return (
    <details
      open={isOpen}
      onToggle={(event) => {
        const now = event.currentTarget.open;
        if (now === isOpen) return;
        setOpen((now ? [...paths, rest.path] : paths.filter((each) => each !== rest.path)).join('|'));
      }}
    >
      <summary>{name}</summary>
      {isOpen && <Folder {...rest} />}
    </details>
  );
}
