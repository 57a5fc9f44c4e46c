import { useGet } from '../../../api/queries.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import { Failure, Rows } from '../../../ui/states.tsx';
import classes from './versions.module.css';

type FileDiff = AnswerOf<'GET /source-diff'>['files'][number];
type Hunk = FileDiff['hunks'][number];

/** Only the lines that differ, with a few around them. */
export function CodeDiff({ from, to }: { readonly from: string | null; readonly to: string | null }) {
  const isSame = from === to;
  const { data, error } = useGet(
    'GET /source-diff',
    { query: { from: from ?? '', to: to ?? '' } },
    { enabled: from !== null && to !== null && !isSame },
  );
  if (from === null || to === null) return <p className="muted">The code of both is not known here.</p>;
  if (isSame) return <p className="muted">The code is the same ({from.slice(0, 7)}).</p>;
  if (error) return <Failure error={error} />;
  if (!data || data.from !== from || data.to !== to) return <Rows count={4} />;
  return (
    <>
      {data.files.map((file) => (
        <File key={file.path} file={file} />
      ))}
    </>
  );
}

function File({ file: { path, change, hunks, note } }: { readonly file: FileDiff }) {
  return (
    <figure className={classes['code']}>
      <figcaption>
        {path} <span className="muted">{change}</span>
        {note && <span className="muted">{note}</span>}
      </figcaption>
      {hunks.length > 0 && (
        <section className={classes['lines']} tabIndex={0} aria-label={`what differs in ${path}`}>
          {hunks.map((hunk) => (
            <Lines key={`${hunk.fromLine}/${hunk.toLine}`} hunk={hunk} />
          ))}
        </section>
      )}
    </figure>
  );
}

const SIGNS = { same: ' ', removed: '−', added: '+' } as const;

function Lines({ hunk }: { readonly hunk: Hunk }) {
  return (
    <>
      <div className={classes['hunk']}>
        line {hunk.fromLine} → {hunk.toLine}
      </div>
      {hunk.lines.map(({ kind, text }, index) => (
        <div key={index} data-kind={kind}>
          {SIGNS[kind]} {text}
        </div>
      ))}
    </>
  );
}
