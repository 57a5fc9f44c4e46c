import { Button, Menu } from '@mantine/core';
import type { ReactNode } from 'react';
import type { ModelStatus } from '../../domain/model-facts.tsx';
import { placeOfVersion } from '../../domain/places.ts';
import { GoLink } from '../../ui/link.tsx';
import { Dialogs } from './actions/dialogs.tsx';
import { type Doing, useDoing } from './actions/do.tsx';

/** At most one primary action, by what the model waits for; a menu with the rest; and the dialog that the address names. */
export function ModelActions({ model }: { readonly model: ModelStatus }) {
  return (
    <>
      <Primary model={model} />
      <More model={model} />
      <Dialogs model={model} />
    </>
  );
}

function Primary({ model }: { readonly model: ModelStatus }) {
  const [, open] = useDoing();
  const waits = model.waiting.at(-1);
  const button = (doing: Doing, verb: string): ReactNode => (
    <Button size="xs" onClick={() => open(doing)}>
      {verb}
    </Button>
  );
  if (model.fallback) return button('fallback', 'Fallback off');
  if (waits !== undefined)
    return (
      <Button size="xs" component={GoLink} to={placeOfVersion(model.name, waits)}>
        Review v{waits}
      </Button>
    );
  if (model.hold !== null) return button('resume', 'Resume');
  return model.version === null ? button('deploy', 'Deploy') : null;
}

interface Item {
  readonly doing: Doing;
  readonly verb: string;
  /** Why it cannot be done; the server decides, this spares the way. */
  readonly not?: string | false;
  readonly danger?: boolean;
}

function itemsOf({ name, version, rollout, hold, fallback, endpoint }: ModelStatus): readonly (readonly Item[])[] {
  const notLive = version === null && `no version of ${name} is live`;
  const isUnderWay = rollout !== null && rollout.version !== version;
  return [
    [
      { doing: 'deploy', verb: 'Deploy a version' },
      {
        doing: 'promote',
        verb: isUnderWay ? `Promote v${rollout.version}` : 'Promote',
        not: !isUnderWay && 'no rollout is under way',
      },
      { doing: 'rollback', verb: 'Roll back', not: notLive, danger: true },
    ],
    [
      hold === null ? { doing: 'hold', verb: 'Hold' } : { doing: 'resume', verb: 'Resume' },
      { doing: 'retrain', verb: 'Retrain' },
    ],
    [
      {
        doing: 'fallback',
        verb: fallback ? 'Fallback off' : 'Fallback on',
        not: endpoint === null && 'no endpoint yet',
      },
      { doing: 'rehearse', verb: 'Rehearse a failure', not: notLive },
    ],
  ];
}

function More({ model }: { readonly model: ModelStatus }) {
  const [, open] = useDoing();
  return (
    <Menu position="bottom-end" width={220} withinPortal>
      <Menu.Target>
        <Button size="xs" variant="default">
          Actions
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {itemsOf(model).map((group, index) => (
          <div key={group[0]!.doing} role="none">
            {index > 0 && <Menu.Divider />}
            {group.map(({ doing, verb, not, danger }) => (
              <Menu.Item
                key={doing}
                disabled={Boolean(not)}
                {...(not && { title: not })}
                {...(danger && !not && { color: 'var(--bad)' })}
                onClick={() => open(doing)}
              >
                {verb} …
              </Menu.Item>
            ))}
          </div>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
