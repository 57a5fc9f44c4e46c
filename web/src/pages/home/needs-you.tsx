import { Link } from '@tanstack/react-router';
import type { AnswerOf } from '../../api/routes.ts';
import { Status } from '../../ui/status.tsx';
import classes from './home.module.css';

type Need = AnswerOf<'GET /status'>['needsYou'][number];

/** Incidents, approvals and holds, each with the place where it is dealt with. */
export function NeedsYou({ needs }: { readonly needs: readonly Need[] }) {
  if (needs.length === 0)
    return (
      <p className="muted">
        <Status health="good" word="Nothing needs you." />
      </p>
    );
  return (
    <section className={classes['part']} aria-label="Needs you">
      <h1>Needs you</h1>
      <ul className={classes['needs']}>
        {needs.map((need) => (
          <li key={need.command}>
            <Link to={placeOf(need)} className={classes['need']}>
              <Status health={need.command.startsWith('levain why') ? 'bad' : 'watch'} word={need.sentence} />
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Where the command of a need has its page. */
function placeOf({ command }: Need): string {
  const [, verb, subject = ''] = command.split(' ');
  if (verb === 'why') return `/i/${subject}`;
  const [model = '', version] = subject.split('@v');
  const place = `/m/${encodeURIComponent(model)}`;
  return verb === 'approve' ? `${place}/versions?version=${version}` : place;
}
