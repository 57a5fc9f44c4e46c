import { useQueryClient } from '@tanstack/react-query';
import { useRouterState } from '@tanstack/react-router';
import { PREFIX, PROJECT } from './api/client.ts';
import { useChange, useGet } from './api/queries.ts';
import { crumbsOf } from './crumbs.ts';
import classes from './shell.module.css';
import { Dropdown } from './ui/dropdown.tsx';
import { GoLink } from './ui/link.tsx';
import { ThemeSwitch } from './ui/theme-switch.tsx';

interface TopProps {
  readonly onSearch: () => void;
  readonly onHelp: () => void;
}

/** Where one is, search, project, who one is, and the theme. */
export function Top({ onSearch, onHelp }: TopProps) {
  return (
    <section className={classes['top']} aria-label="Top">
      <Crumbs />
      <button type="button" className={classes['search']} onClick={onSearch}>
        Search <kbd aria-hidden="true">/</kbd>
      </button>
      <ProjectSwitch />
      <Account />
      <ThemeSwitch className={classes['tool']} />
      <button type="button" className={classes['tool']} onClick={onHelp} aria-label="Keys" title="Keys (?)">
        ?
      </button>
    </section>
  );
}

function Crumbs() {
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const crumbs = crumbsOf(path);
  return (
    <nav aria-label="Breadcrumb" className={classes['crumbs']}>
      <ol>
        {crumbs.map(({ to, word }, index) => (
          <li key={to}>
            {index === crumbs.length - 1 ? (
              <span aria-current="page" title={word}>
                {word}
              </span>
            ) : (
              <GoLink to={to} title={word}>
                {word}
              </GoLink>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

const MAIN = 'main';

/** Projects are told apart by the address, so that going to another one begins anew. */
function ProjectSwitch() {
  const projects = useGet('GET /projects').data?.items ?? [];
  const here = PROJECT ?? MAIN;
  if (projects.length < 2 && here === MAIN) return null;
  const names = [...new Set([here, ...projects.map(({ name }) => name)])].sort();
  return (
    <Dropdown label={<span className={classes['project']}>{here}</span>} name={`${here}: project`}>
      <ul className={classes['menu']}>
        {names.map((name) => (
          <li key={name}>
            <a
              href={name === MAIN ? `${PREFIX}/` : `${PREFIX}/p/${encodeURIComponent(name)}/`}
              aria-current={name === here ? 'true' : undefined}
            >
              {name}
            </a>
          </li>
        ))}
      </ul>
    </Dropdown>
  );
}

/** Nobody to show where no user was added: then whoever is at the machine may do everything. */
function Account() {
  const session = useGet('GET /session').data;
  const end = useChange('DELETE /session');
  const queries = useQueryClient();
  if (!session || session.user === null) return null;
  const rights = session.permissions.filter((each) => RIGHTS.includes(each));
  const leave = async (): Promise<void> => {
    await end.mutateAsync({});
    queries.clear();
    location.assign(`${PREFIX}/`);
  };
  return (
    <Dropdown label={<span className={classes['project']}>{session.user}</span>} name={`${session.user}: account`}>
      <div className={classes['account']}>
        <strong>{session.user}</strong>
        <span className="muted">
          {rights.length === 0 ? 'has no role in this project' : `may ${rights.join(', ')} here`}
        </span>
        {session.isSession && (
          <button type="button" onClick={() => void leave()}>
            Log out
          </button>
        )}
      </div>
    </Dropdown>
  );
}

const RIGHTS: readonly string[] = ['read', 'write', 'deploy', 'approve', 'predict', 'admin'];
