import { useState } from 'react';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { placeOfWhy } from '../../domain/places.ts';
import { Refusal } from '../../ui/confirm.tsx';
import { GoLink } from '../../ui/link.tsx';
import { Rows } from '../../ui/states.tsx';
import { isSame, kindOfId, nameOf, reasonsOf } from './ways.ts';
import classes from './why.module.css';

type Why = AnswerOf<'GET /why/:id'>;

interface ReasonsProps {
  readonly why: Why;
  /** Ids above this one: a run says why of its version, which says why of its run. */
  readonly path: readonly string[];
  readonly isOpen?: boolean;
}

/** The details of one answer, and the reasons that it leads to, each with its own. */
export function Reasons({ why, path, isOpen = false }: ReasonsProps) {
  const above = [...path, why.id];
  const details = why.lines.slice(1).map((line) => line.trim());
  const reasons = reasonsOf(why).filter((id) => !path.some((other) => isSame(id, other)));
  return (
    <ul className={classes['tree']}>
      {details.length > 0 && (
        <li>
          <Details lines={details} />
        </li>
      )}
      {reasons.map((id) => (
        <li key={id}>
          <Reason id={id} path={above} isOpen={isOpen} />
        </li>
      ))}
      {details.length === 0 && reasons.length === 0 && <li className="muted">There is nothing behind this.</li>}
    </ul>
  );
}

const DETAILS_SHOWN = 12;

function Details({ lines }: { readonly lines: readonly string[] }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? lines : lines.slice(0, DETAILS_SHOWN);
  return (
    <>
      <ul className={classes['details']}>
        {shown.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {shown.length < lines.length && (
        <button type="button" className={classes['more']} onClick={() => setWhole(true)}>
          {lines.length - shown.length} more lines
        </button>
      )}
    </>
  );
}

/** One reason: closed it is its name, open it answers and shows what is behind it. */
function Reason({
  id,
  path,
  isOpen,
}: {
  readonly id: string;
  readonly path: readonly string[];
  readonly isOpen: boolean;
}) {
  const [isShown, setShown] = useState(isOpen);
  return (
    <details className={classes['reason']} open={isShown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>
        <span className="muted">{kindOfId(id)}</span> <bdi>{nameOf({ id })}</bdi>
      </summary>
      {isShown && <Answer id={id} path={path} />}
    </details>
  );
}

function Answer({ id, path }: { readonly id: string; readonly path: readonly string[] }) {
  const { data, error } = useGet('GET /why/:id', { params: { id } });
  if (error && !data) return <Refusal error={error} />;
  if (!data || !isSame(id, data.id)) return <Rows count={2} />;
  return (
    <div className={classes['node']}>
      <p>
        {data.answer}{' '}
        <GoLink to={placeOfWhy(data.id)} className={classes['inline']}>
          why
        </GoLink>
      </p>
      <Reasons why={data} path={path} />
    </div>
  );
}
