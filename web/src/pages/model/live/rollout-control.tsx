import { Button } from '@mantine/core';
import { useState } from 'react';
import { useChange } from '../../../api/queries.ts';
import { ConfirmDialog } from '../../../ui/confirm.tsx';
import { duration } from '../../../ui/format.ts';
import { type Rollout, shareWords, titleOf } from './rollout-steps.ts';

type Action = 'continue' | 'wait' | 'pause' | 'abort' | 'promote';

interface Way {
  readonly verb: string;
  readonly title: string;
  readonly reason?: 'optional';
  readonly tone?: 'primary' | 'danger';
  readonly consequence: readonly string[];
}

/**
 * What may be done to a rollout in the state that it is in, each with what follows. A dialog that is open stays, with the rollout
 * that it was opened for, whatever becomes of that meanwhile: the server then says that it is another one.
 */
export function RolloutControl({ rollout }: { readonly rollout: Rollout }) {
  const control = useChange('POST /endpoints/:name/rollout');
  const [asked, setAsked] = useState<{ readonly action: Action; readonly rollout: Rollout }>();
  const way = asked && WAYS[asked.action](asked.rollout);
  return (
    <>
      {actionsOf(rollout).map((action) => {
        const { verb, tone } = WAYS[action](rollout);
        return (
          <Button
            key={action}
            size="xs"
            variant={tone === 'primary' ? 'filled' : 'default'}
            {...(tone === 'danger' && { color: 'red' })}
            onClick={() => setAsked({ action, rollout })}
          >
            {verb}
          </Button>
        );
      })}
      {asked && way && (
        <ConfirmDialog
          isOpen
          verb={way.verb}
          title={way.title}
          danger={way.tone === 'danger'}
          {...(way.reason && { reason: way.reason })}
          consequence={way.consequence.map((text) => <p key={text}>{text}</p>)}
          onClose={() => setAsked(undefined)}
          act={(reason) =>
            control.mutateAsync({
              params: { name: asked.rollout.endpoint },
              body: { action: asked.action, rollout: asked.rollout.id, ...(reason !== '' && { reason }) },
            })
          }
        />
      )}
    </>
  );
}

function actionsOf({ state, rehearsal }: Rollout): readonly Action[] {
  const promote: readonly Action[] = rehearsal === null ? ['promote'] : [];
  switch (state) {
    case 'paused':
      return ['continue', 'wait', ...promote, 'abort'];
    case 'shadow':
    case 'canary':
      return ['pause', ...promote, 'abort'];
    case 'preflight':
      return [...promote, 'abort'];
    case 'promoting':
    case 'baking':
      return ['abort'];
    default:
      return [];
  }
}

const WAYS: Readonly<Record<Action, (rollout: Rollout) => Way>> = {
  continue: (rollout) => ({
    verb: 'Continue',
    title: `Continue the rollout of v${rollout.version}`,
    tone: 'primary',
    consequence: continueWords(rollout),
  }),
  wait: (rollout) => ({
    verb: 'Wait',
    title: `Wait for more evidence on v${rollout.version}`,
    consequence: waitWords(rollout),
  }),
  pause: ({ version, weight }) => ({
    verb: 'Pause',
    title: `Pause the rollout of v${version}`,
    reason: 'optional',
    consequence: [
      `v${version} stays at ${shareWords(weight)} of the traffic until somebody continues. Limits still stop it by themselves.`,
    ],
  }),
  promote: (rollout) => ({
    verb: 'Promote',
    title: `Promote v${rollout.version} now`,
    consequence: promoteWords(rollout),
  }),
  abort: ({ version, fromVersion, model }) => ({
    verb: 'Abort',
    title: `Abort the rollout of v${version}`,
    tone: 'danger',
    reason: 'optional',
    consequence: [
      `v${version} gets no traffic any more; ${fromVersion === null ? 'nothing answers then' : `v${fromVersion} answers all of it`}, within seconds.`,
      `${model} is then HELD: no retraining or promotion until resume.`,
      'Not undone: answers given, their log, data, labels, running batches. Nothing is deleted.',
    ],
  }),
};

/** A pause by a person goes back to its step; one for want of evidence goes on without it. */
function continueWords(rollout: Rollout): readonly string[] {
  const { version, plan, step } = rollout;
  const isByPerson = /^paused by /.test(rollout.reason ?? '');
  const next = plan.steps[isByPerson ? Math.max(0, step) : step + 1];
  if (!next) return promoteWords(rollout);
  const where =
    next.kind === 'canary' ? `takes ${shareWords(next.weight)} of the traffic` : `goes to its step "${titleOf(next)}"`;
  return [
    `v${version} ${where}${isByPerson ? ', as before the pause' : ', although the evidence of its step is not complete'}, within seconds.`,
    'Limits still stop it by themselves.',
  ];
}

const waitWords = ({ version, weight, plan }: Rollout): readonly string[] => [
  `v${version} stays in its step at ${shareWords(weight)} and goes on by itself once the evidence is there.`,
  plan.atMostMs === null
    ? 'It has no deadline.'
    : `Its deadline is ${duration(plan.atMostMs)} from now, by the event clock.`,
];

const promoteWords = ({ version, fromVersion, weight }: Rollout): readonly string[] => [
  `All traffic moves from v${fromVersion ?? '—'} to v${version} within seconds (it has ${shareWords(weight)} now); what is left of the rollout is skipped.`,
  ...(fromVersion === null ? [] : [`v${fromVersion} stays warm for a rollback.`]),
];
