import type { ReactNode } from 'react';
import { useChange } from '../../../api/queries.ts';
import { Confirm } from '../../../ui/confirm.tsx';
import { duration } from '../../../ui/format.ts';
import { type Rollout, shareWords, titleOf } from './rollout-steps.ts';

type Action = 'continue' | 'wait' | 'pause' | 'abort' | 'promote';

/** What may be done to a rollout in the state that it is in, each with what follows. */
export function RolloutControl({ rollout }: { readonly rollout: Rollout }) {
  const control = useChange('POST /endpoints/:name/rollout');
  const { state, version, model } = rollout;
  const act = (action: Action) => (reason: string) =>
    control.mutateAsync({
      params: { name: rollout.endpoint },
      body: { action, rollout: rollout.id, ...(reason !== '' && { reason }) },
    });
  const isLive = state === 'shadow' || state === 'canary';
  const isPaused = state === 'paused';
  const mayPromote = rollout.rehearsal === null && (isLive || isPaused || state === 'preflight');
  return (
    <>
      {isPaused && (
        <>
          <Confirm
            verb="Continue"
            title={`Continue the rollout of v${version}`}
            primary
            consequence={<Paragraphs texts={continueWords(rollout)} />}
            act={act('continue')}
          />
          <Confirm
            verb="Wait"
            title={`Wait for more evidence on v${version}`}
            consequence={<Paragraphs texts={waitWords(rollout)} />}
            act={act('wait')}
          />
        </>
      )}
      {isLive && (
        <Confirm
          verb="Pause"
          title={`Pause the rollout of v${version}`}
          reason="optional"
          consequence={`v${version} stays at ${shareWords(rollout.weight)} of the traffic until somebody continues. Limits still stop it by themselves.`}
          act={act('pause')}
        />
      )}
      {mayPromote && (
        <Confirm
          verb="Promote"
          title={`Promote v${version} now`}
          consequence={<Paragraphs texts={promoteWords(rollout)} />}
          act={act('promote')}
        />
      )}
      {!['aborting', 'aborted', 'done'].includes(state) && (
        <Confirm
          verb="Abort"
          title={`Abort the rollout of v${version}`}
          danger
          reason="optional"
          consequence={
            <Paragraphs
              texts={[
                `v${version} gets no traffic any more; ${rollout.fromVersion === null ? 'nothing answers then' : `v${rollout.fromVersion} answers all of it`}, within seconds.`,
                `${model} is then HELD: no retraining or promotion until resume.`,
                'Not undone: answers given, their log, data, labels, running batches. Nothing is deleted.',
              ]}
            />
          }
          act={act('abort')}
        />
      )}
    </>
  );
}

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

const Paragraphs = ({ texts }: { readonly texts: readonly string[] }): ReactNode =>
  texts.map((text) => <p key={text}>{text}</p>);
