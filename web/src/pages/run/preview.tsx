import { Button } from '@mantine/core';
import { type FileOwner, fileAddress } from '../../api/files.ts';
import { kindOf } from './file-kinds.ts';
import classes from './files.module.css';
import { CsvFile, JsonFile, NotebookFile, OtherFile, ParquetFile, TextFile } from './previews.tsx';

interface PreviewProps {
  readonly owner: FileOwner;
  readonly path: string;
}

/** What a file holds, as far as it can be shown safely and within bounds; the file itself is a link away. */
export function Preview({ owner, path }: PreviewProps) {
  const address = fileAddress(owner, path);
  const name = path.slice(path.lastIndexOf('/') + 1);
  return (
    <section className={classes['preview']} aria-label={`Contents of ${path}`}>
      <header className={classes['head']}>
        <h2>{path}</h2>
        <Button component="a" href={address} download={name} size="xs" variant="default">
          Download
        </Button>
      </header>
      <Contents owner={owner} path={path} address={address} name={name} />
    </section>
  );
}

function Contents({ owner, path, address, name }: PreviewProps & { readonly address: string; readonly name: string }) {
  switch (kindOf(path)) {
    case 'image':
      return <img src={address} alt={name} />;
    case 'html':
      // What a run wrote may hold scripts: the frame runs none, has no origin of ours and reaches nobody.
      return <iframe src={address} sandbox="" title={name} />;
    case 'csv':
      return <CsvFile owner={owner} path={path} />;
    case 'parquet':
      return <ParquetFile owner={owner} path={path} />;
    case 'json':
      return <JsonFile owner={owner} path={path} />;
    case 'notebook':
      return <NotebookFile owner={owner} path={path} />;
    case 'text':
      return <TextFile owner={owner} path={path} />;
    case 'other':
      return <OtherFile owner={owner} path={path} />;
  }
}
