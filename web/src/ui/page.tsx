import type { ReactNode } from 'react';
import classes from './page.module.css';

interface PageProps {
  readonly title: ReactNode;
  /** The state in words, beside the title. */
  readonly status?: ReactNode;
  /** At most one primary action, then the rest. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** Header (title, status in words, actions) and content. */
export function Page({ title, status, actions, children }: PageProps) {
  return (
    <article className={classes['page']}>
      <header className={classes['header']}>
        <h1>{title}</h1>
        {status && <div className={classes['status']}>{status}</div>}
        {actions && <div className={classes['actions']}>{actions}</div>}
      </header>
      {children}
    </article>
  );
}

/** A part of a page under a heading. */
export function Part({
  title,
  children,
  tools,
}: {
  readonly title: ReactNode;
  readonly children: ReactNode;
  readonly tools?: ReactNode;
}) {
  return (
    <section className={classes['part']}>
      <div className={classes['partHead']}>
        <h2>{title}</h2>
        {tools}
      </div>
      {children}
    </section>
  );
}

/** Facts at the left, the main thing wide. */
export function Split({ side, children }: { readonly side: ReactNode; readonly children: ReactNode }) {
  return (
    <div className={classes['split']}>
      <aside>{side}</aside>
      <div className={classes['wide']}>{children}</div>
    </div>
  );
}
