import { useEffect, useRef, useState } from 'react';
import { Approve, Reject } from '../../../domain/decisions.tsx';
import { Fallback } from '../../../domain/fallback.tsx';
import { Hold, Resume, RollBack } from '../../../domain/model-actions.tsx';
import type { ModelStatus } from '../../../domain/model-facts.tsx';
import type { Opened } from '../../../ui/confirm.tsx';
import { useViewState } from '../../../ui/view-state.ts';
import { Deploy } from './deploy.tsx';
import { type Doing, useDoing } from './do.tsx';
import { Promote } from './promote.tsx';
import { Rehearse } from './rehearse.tsx';
import { Retrain } from './retrain.tsx';

/** The dialog that the address names. It stays while it closes, so that focus goes back to where it came from. */
export function Dialogs({ model }: { readonly model: ModelStatus }) {
  const [doing, set] = useDoing();
  const [shown, setShown] = useState(doing);
  useEffect(() => {
    if (doing !== undefined) setShown(doing);
  }, [doing]);
  const current = doing ?? shown;
  if (current === undefined) return null;
  const opened = { isOpen: doing !== undefined, onClose: () => set(undefined) };
  return <DialogOf key={current} doing={current} model={model} opened={opened} />;
}

interface DialogProps {
  readonly doing: Doing;
  readonly model: ModelStatus;
  readonly opened: Opened;
}

function DialogOf({ doing, model, opened }: DialogProps) {
  const { name, endpoint } = model;
  switch (doing) {
    case 'approve':
    case 'reject':
      return <Decision doing={doing} model={name} opened={opened} />;
    case 'deploy':
      return <Deploy model={model} opened={opened} />;
    case 'promote':
      return <Promote model={model} opened={opened} />;
    case 'rollback':
      return <RollBack endpoint={endpoint ?? name} opened={opened} />;
    case 'hold':
      return <Hold model={name} opened={opened} />;
    case 'resume':
      return <Resume model={name} held={model.held} opened={opened} />;
    case 'retrain':
      return <Retrain model={model} opened={opened} />;
    case 'fallback':
      return endpoint === null ? null : <Fallback endpoint={endpoint} opened={opened} />;
    case 'rehearse':
      return <Rehearse model={model} opened={opened} />;
  }
}

interface DecisionProps {
  readonly doing: 'approve' | 'reject';
  readonly model: string;
  readonly opened: Opened;
}

/** It stays open although its version waits no longer, so that whoever was too late reads why, and keeps the words. */
function Decision({ doing, model, opened }: DecisionProps) {
  const [which] = useViewState('which');
  const last = useRef(which);
  if (which !== '') last.current = which;
  const version = Number(last.current);
  if (!(version > 0)) return null;
  const Decide = doing === 'approve' ? Approve : Reject;
  return <Decide model={model} version={version} opened={opened} />;
}
