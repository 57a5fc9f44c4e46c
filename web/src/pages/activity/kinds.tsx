import type { AnswerOf } from '../../api/routes.ts';
import classes from './activity.module.css';

type Kind = AnswerOf<'GET /activity'>['items'][number]['kind'];

const KINDS: readonly Kind[] = [
  'data',
  'run',
  'gate',
  'approval',
  'deploy',
  'rollout',
  'incident',
  'rehearsal',
  'hold',
  'label',
  'admin',
];

/** Batches of labels come by the hundred and are left out unless asked for. */
export const SHOWN_BY_ITSELF = KINDS.filter((kind) => kind !== 'label').join(',');

interface KindsProps {
  /** With commas between them; empty: all but labels. */
  readonly chosen: string;
  readonly onChoose: (kinds: string | undefined) => void;
}

/** One or several kinds; a kind that is pressed again is let go. */
export function Kinds({ chosen, onChoose }: KindsProps) {
  const pressed = new Set(chosen === '' ? [] : chosen.split(','));
  const toggle = (kind: Kind): void => {
    if (!pressed.delete(kind)) pressed.add(kind);
    onChoose([...pressed].join(',') || undefined);
  };
  return (
    <fieldset className={classes['kinds']}>
      <legend className={classes['hidden']}>Kinds</legend>
      <button type="button" aria-pressed={pressed.size === 0} onClick={() => onChoose(undefined)}>
        all
      </button>
      {KINDS.map((kind) => (
        <button key={kind} type="button" aria-pressed={pressed.has(kind)} onClick={() => toggle(kind)}>
          {kind}
        </button>
      ))}
    </fieldset>
  );
}
