import { useEffect, useState } from 'react';
import { Fallback, Hold, Resume, RollBack } from '../../../domain/model-actions.tsx';
import type { ModelStatus } from '../../../domain/model-facts.tsx';
import type { Opened } from '../../../ui/confirm.tsx';
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
