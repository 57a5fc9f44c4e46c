import { Button } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useViewState } from '../../../ui/view-state.ts';

/** What may be done to a model; the one whose dialog is open stands in the address. */
export const DOINGS = [
  'approve',
  'reject',
  'deploy',
  'promote',
  'rollback',
  'hold',
  'resume',
  'retrain',
  'fallback',
  'rehearse',
] as const;
export type Doing = (typeof DOINGS)[number];

/** What dialogs keep in the address; it goes with them. */
const OF_DIALOGS = ['do', 'which', 'deploy', 'kind', 'rehearsal'];

export function useDoing(): readonly [Doing | undefined, (doing: Doing | undefined, more?: Search) => void] {
  const [text] = useViewState('do');
  const navigate = useNavigate();
  const set = (doing: Doing | undefined, more: Search = {}): void => {
    void navigate({
      to: '.',
      replace: true,
      resetScroll: false,
      search: ((before: Search) => {
        const kept = Object.entries(before).filter(([name]) => !OF_DIALOGS.includes(name));
        return { ...Object.fromEntries(kept), ...(doing !== undefined && { do: doing, ...more }) };
      }) as never,
    });
  };
  return [DOINGS.find((doing) => doing === text), set];
}

type Search = Readonly<Record<string, string | undefined>>;

interface DoLinkProps {
  readonly what: Doing;
  /** What the dialog begins with. */
  readonly more?: Readonly<Record<string, string>>;
  readonly children: ReactNode;
}

/** A button that opens it. */
export function DoButton({ what, more, primary = false, children }: DoLinkProps & { readonly primary?: boolean }) {
  const [, open] = useDoing();
  return (
    <Button size="xs" variant={primary ? 'filled' : 'default'} onClick={() => open(what, more)}>
      {children}
    </Button>
  );
}

/** A link that opens the dialog of an action where one is. */
export function DoLink({ what, more, children }: DoLinkProps) {
  return (
    <Link to="." replace resetScroll={false} search={((before: Search) => ({ ...before, do: what, ...more })) as never}>
      {children}
    </Link>
  );
}
