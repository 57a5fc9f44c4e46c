import type { AnswerOf } from '../../../api/routes.ts';
import type { ModelStatus } from '../../../domain/model-facts.tsx';
import { count, number, percent } from '../../../ui/format.ts';
import type { Health } from '../../../ui/status.tsx';

export type Version = AnswerOf<'GET /models/:model/versions/:version'>;
export type Gate = NonNullable<Version['gate']>;

export const VERDICTS = ['signature', 'parity', 'gate', 'approval'] as const;
export type VerdictName = (typeof VERDICTS)[number];

export interface Verdict {
  readonly name: VerdictName;
  readonly health: Health;
  readonly word: string;
  /** One line with its numbers. */
  readonly says: string;
}

/** The four things that a version is judged by, in the order in which they come. */
export const verdictsOf = (version: Version): readonly Verdict[] => [
  signatureOf(version),
  parityOf(version),
  gateOf(version),
  approvalOf(version),
];

function signatureOf({ signature, state }: Version): Verdict {
  if (!signature)
    return {
      name: 'signature',
      health: 'unknown',
      word: 'none',
      says: state === 'external' ? 'registered by a client: nothing is served of it' : 'not known',
    };
  const needed = signature.inputs.filter(({ required }) => required).length;
  return {
    name: 'signature',
    health: 'good',
    word: 'known',
    says: `${signature.inputs.length} columns, ${needed} required`,
  };
}

function parityOf({ parity, engine }: Version): Verdict {
  if (!parity) return { name: 'parity', health: 'unknown', word: 'not measured', says: 'no golden rows were answered' };
  const by = engine?.kind === 'python' ? 'Python worker' : 'our own engine';
  return {
    name: 'parity',
    health: parity.flips === 0 ? 'good' : 'bad',
    word: parity.flips === 0 ? 'proven' : 'broken',
    says: `${by}: at most ${number(parity.maxDifference)} off on ${count(parity.rows)} rows, ${count(parity.flips)} labels flip`,
  };
}

const GATE_HEALTH: Readonly<Record<Gate['outcome'], Health>> = {
  passed: 'good',
  failed: 'bad',
  refused: 'bad',
  not_measured: 'unknown',
};

export const gateHealth = (outcome: Gate['outcome']): Health => GATE_HEALTH[outcome];

function gateOf({ gate, rehearsal }: Version): Verdict {
  if (!gate)
    return {
      name: 'gate',
      health: 'unknown',
      word: 'has not run',
      says: rehearsal === null ? 'nothing was compared' : 'a rehearsal is never compared',
    };
  const against = gate.championVersion === null ? 'the base rate' : `v${gate.championVersion}`;
  return {
    name: 'gate',
    health: gateHealth(gate.outcome),
    word: gate.outcome.replace('_', ' '),
    says:
      gate.challenger === null
        ? gate.sentence
        : `${metricWords(gate)} ${number(gate.challenger)} against ${number(gate.champion)} of ${against}`,
  };
}

const APPROVAL_HEALTH: Readonly<Record<string, Health>> = {
  approved: 'good',
  waiting: 'watch',
  rejected: 'bad',
  void: 'watch',
  not_needed: 'unknown',
};

function approvalOf({ approval, decision }: Version): Verdict {
  const by = decision === null ? '' : `by ${decision.by}`;
  return {
    name: 'approval',
    health: APPROVAL_HEALTH[approval] ?? 'unknown',
    word: approval.replace('_', ' '),
    says:
      approval === 'not_needed'
        ? 'nothing asked for one'
        : approval === 'waiting'
          ? (decision?.reason ?? 'somebody has to look')
          : `${by}${decision?.reason ? `: ${decision.reason}` : ''}`,
  };
}

/** `log_loss` as people write it. */
export const metricWords = ({ metric }: Pick<Gate, 'metric'>): string =>
  metric === 'auc' ? 'AUC' : metric.replaceAll('_', ' ');

/** Where a version stands: what it answers, under which aliases, or why it never will. */
export function stageOf(
  version: Version,
  model: ModelStatus | undefined,
  previous: number | null | undefined,
): readonly string[] {
  const { aliases, rehearsal, draft, state } = version;
  const live = model?.live.find((each) => each.version === version.version);
  const rollout = model?.rollout?.version === version.version ? model.rollout : null;
  const isChampion = aliases.includes('champion');
  return [
    ...(live
      ? [`${isChampion ? 'champion' : (rollout?.state ?? 'live')} ${percent(live.share)}`]
      : isChampion
        ? ['champion']
        : []),
    ...(!live && rollout ? [rollout.state] : []),
    ...(previous === version.version ? ['stands by'] : []),
    ...aliases.filter((alias) => alias !== 'champion'),
    ...(rehearsal === null ? [] : ['REHEARSAL']),
    ...(draft ? ['draft'] : []),
    ...(state === 'external' ? ['registered by a client'] : []),
  ];
}
