import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { type FileOwner, type FilePart, readFilePart } from '../../api/files.ts';
import { useGet } from '../../api/queries.ts';
import type { ApiError } from '../../errors.ts';
import { bytes, count } from '../../ui/format.ts';
import { Failure, Rows } from '../../ui/states.tsx';
import { Table } from '../../ui/table.tsx';
import { isText, parseDelimited, parseNotebook } from './file-kinds.ts';
import classes from './files.module.css';

interface FileProps {
  readonly owner: FileOwner;
  readonly path: string;
}

/** So much of a text is shown at once, whatever its size. */
const WINDOW_BYTES = 128 * 1_024;
const CSV_BYTES = 512 * 1_024;
const WHOLE_BYTES = 4 * 2 ** 20;
const MAX_ROWS = 1_000;

/** A stretch of the file, and what is made of it. */
function WithPart({
  owner,
  path,
  start = 0,
  length,
  children,
}: FileProps & {
  readonly start?: number;
  readonly length: number;
  readonly children: (part: FilePart) => ReactNode;
}) {
  const { data, error, refetch } = useQuery<FilePart, ApiError>({
    queryKey: [`FILE /${owner.kind}`, owner.id, path, start, length],
    queryFn: ({ signal }) => readFilePart(owner, path, { start, length }, signal),
    // Contents that were looked at are not kept for ever.
    gcTime: 10_000,
  });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={8} />;
  return children(data);
}

const decode = (data: Uint8Array): string => new TextDecoder().decode(data);

/** A window onto a text that may be far larger than a page could hold. */
export function TextFile({ owner, path }: FileProps) {
  const [start, setStart] = useState(0);
  return (
    <WithPart owner={owner} path={path} start={start} length={WINDOW_BYTES}>
      {({ bytes: data, sizeBytes }) => (
        <>
          {sizeBytes > WINDOW_BYTES && <Pager start={start} size={data.length} total={sizeBytes} onMove={setStart} />}
          <Text>{data.length === 0 ? '(empty)' : decode(data)}</Text>
        </>
      )}
    </WithPart>
  );
}

interface PagerProps {
  readonly start: number;
  readonly size: number;
  readonly total: number;
  readonly onMove: (start: number) => void;
}

function Pager({ start, size, total, onMove }: PagerProps) {
  const last = Math.max(0, total - WINDOW_BYTES);
  const moves = [
    ['Start', 0],
    ['Back', Math.max(0, start - WINDOW_BYTES)],
    ['On', Math.min(last, start + WINDOW_BYTES)],
    ['End', last],
  ] as const;
  return (
    <div className={classes['pager']}>
      <span className="muted">
        {bytes(start)} to {bytes(start + size)} of {bytes(total)}
      </span>
      {moves.map(([word, to]) => (
        <Button key={word} size="compact-xs" variant="default" disabled={to === start} onClick={() => onMove(to)}>
          {word}
        </Button>
      ))}
    </div>
  );
}

function Text({ children }: { readonly children: string }) {
  return (
    <pre tabIndex={0} className={classes['text']}>
      {children}
    </pre>
  );
}

interface RowsTableProps {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
  readonly says: string;
}

interface Numbered {
  readonly index: number;
  readonly cells: RowsTableProps['rows'][number];
}

function RowsTable({ columns, rows, says }: RowsTableProps) {
  return (
    <>
      <p className="muted">{says}</p>
      <Table<Numbered>
        label="Rows of the file"
        rows={rows.map((cells, index) => ({ index, cells }))}
        rowId={({ index }) => String(index)}
        columns={columns.map((header, i) => ({
          id: String(i),
          header,
          value: ({ cells }) => {
            const cell = cells[i] ?? null;
            return typeof cell === 'boolean' ? String(cell) : cell;
          },
        }))}
        height={560}
      />
    </>
  );
}

export function CsvFile({ owner, path }: FileProps) {
  return (
    <WithPart owner={owner} path={path} length={CSV_BYTES}>
      {({ bytes: data, sizeBytes }) => {
        const isCut = data.length < sizeBytes;
        const { columns, rows } = parseDelimited(decode(data), { maxRows: MAX_ROWS, isCut });
        const isAll = !isCut && rows.length < MAX_ROWS;
        const says = `${isAll ? '' : 'The first '}${count(rows.length)} rows, ${columns.length} columns, ${bytes(sizeBytes)}.`;
        return <RowsTable columns={columns} rows={rows} says={says} />;
      }}
    </WithPart>
  );
}

export function ParquetFile({ owner, path }: FileProps) {
  const options = { params: { id: owner.id }, query: { path } };
  const ofRun = useGet('GET /runs/:id/rows', options, { enabled: owner.kind === 'runs' });
  const ofModel = useGet('GET /logged-models/:id/rows', options, { enabled: owner.kind === 'logged-models' });
  const { data, error, refetch } = owner.kind === 'runs' ? ofRun : ofModel;
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={8} />;
  const says = `${data.rows.length < data.total ? `The first ${count(data.rows.length)} of ` : ''}${count(data.total)} rows, ${data.columns.length} columns.`;
  return <RowsTable columns={data.columns} rows={data.rows} says={says} />;
}

/** Indented where it is small enough to be read whole. */
export function JsonFile({ owner, path }: FileProps) {
  return (
    <WithPart owner={owner} path={path} length={WHOLE_BYTES}>
      {({ bytes: data, sizeBytes }) => {
        const text = data.length < sizeBytes ? undefined : indented(decode(data));
        return text === undefined || text.length > WHOLE_BYTES ? (
          <TextFile owner={owner} path={path} />
        ) : (
          <Text>{text}</Text>
        );
      }}
    </WithPart>
  );
}

function indented(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}

const MAX_CELLS = 500;

/** Sources and outputs in their order; outputs as text or images, never as HTML. */
export function NotebookFile({ owner, path }: FileProps) {
  return (
    <WithPart owner={owner} path={path} length={WHOLE_BYTES}>
      {({ bytes: data, sizeBytes }) => {
        const cells = data.length < sizeBytes ? undefined : parseNotebook(decode(data));
        if (!cells) return <TextFile owner={owner} path={path} />;
        return (
          <ol className={classes['cells']}>
            {cells.slice(0, MAX_CELLS).map((cell, i) => (
              <li key={i} data-kind={cell.kind}>
                <pre className={classes['source']}>{cell.source}</pre>
                {cell.outputs.map((output, o) =>
                  output.png !== undefined ? (
                    <img key={o} src={`data:image/png;base64,${output.png}`} alt={`output of cell ${i + 1}`} />
                  ) : (
                    <pre key={o} className={classes['output']}>
                      {output.text}
                    </pre>
                  ),
                )}
              </li>
            ))}
          </ol>
        );
      }}
    </WithPart>
  );
}

/** Text is told by its first bytes; of anything else only the size is shown. */
export function OtherFile({ owner, path }: FileProps) {
  return (
    <WithPart owner={owner} path={path} length={4_096}>
      {({ bytes: data, sizeBytes }) =>
        isText(data) ? (
          <TextFile owner={owner} path={path} />
        ) : (
          <p className="muted">
            No text, no image and no table: {bytes(sizeBytes)} that only the code which wrote them reads.
          </p>
        )
      }
    </WithPart>
  );
}
