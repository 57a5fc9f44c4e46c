import { useState } from 'react';
import { addressOf } from '../../api/client.ts';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { bytes } from '../../ui/format.ts';
import { Rows } from '../../ui/states.tsx';
import classes from './artifacts.module.css';

type Entry = AnswerOf<'GET /runs/:id/artifacts'>['items'][number];
type Item = Entry & { readonly path: string };

/** Files of a run as a tree that opens folder by folder, with a preview of what can be shown safely. */
export function Artifacts({ run }: { readonly run: string }) {
  const [open, setOpen] = useState<Item>();
  return (
    <div className={classes['artifacts']}>
      <Folder run={run} path="" onOpen={setOpen} />
      {open ? <Preview run={run} file={open} /> : <p className="muted">Choose a file.</p>}
    </div>
  );
}

function Folder({
  run,
  path,
  onOpen,
}: {
  readonly run: string;
  readonly path: string;
  readonly onOpen: (file: Item) => void;
}) {
  const { data } = useGet('GET /runs/:id/artifacts', { params: { id: run }, query: { path } });
  if (!data) return <Rows count={2} />;
  if (data.items.length === 0) return <p className="muted">No files.</p>;
  return (
    <ul className={classes['folder']}>
      {data.items
        .map((entry) => ({ ...entry, path: path === '' ? entry.name : `${path}/${entry.name}` }))
        .map((item) => (
          <li key={item.path}>
            {item.isFolder ? (
              <details>
                <summary>{nameOf(item.path)}</summary>
                <Folder run={run} path={item.path} onOpen={onOpen} />
              </details>
            ) : (
              <button type="button" onClick={() => onOpen(item)}>
                {nameOf(item.path)} <span className="muted">{bytes(item.sizeBytes)}</span>
              </button>
            )}
          </li>
        ))}
    </ul>
  );
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const MAX_TEXT_BYTES = 1_000_000;
const IMAGE = /\.(png|jpe?g|gif|webp|svg)$/i;
const TEXT = /\.(txt|md|json|ya?ml|csv|py|log|toml|lock|ipynb)$|^MLmodel$/i;

function Preview({ run, file }: { readonly run: string; readonly file: Item }) {
  const address =
    addressOf('/runs/:id/artifacts/', { id: run }) + file.path.split('/').map(encodeURIComponent).join('/');
  const name = nameOf(file.path);
  return (
    <section className={classes['preview']}>
      <p>
        <strong>{file.path}</strong>{' '}
        <a href={address} download={name}>
          download
        </a>
      </p>
      {IMAGE.test(name) ? (
        <img src={address} alt={name} />
      ) : /\.html?$/i.test(name) ? (
        // What a run wrote may hold scripts: it is shown where none can run.
        <iframe src={address} sandbox="" title={name} />
      ) : TEXT.test(name) && (file.sizeBytes ?? 0) <= MAX_TEXT_BYTES ? (
        <TextFile key={address} address={address} />
      ) : (
        <p className="muted">No preview for this kind of file.</p>
      )}
    </section>
  );
}

function TextFile({ address }: { readonly address: string }) {
  const [text, setText] = useState<string>();
  if (text === undefined) {
    void fetch(address)
      .then((response) => response.text())
      .then(setText, () => setText('It could not be read.'));
    return <Rows count={4} />;
  }
  return <pre>{text}</pre>;
}
