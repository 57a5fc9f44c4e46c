import type { Levain } from './levain.ts';

/** What was measured, as `--json` gives it. */
export interface Facts {
  readonly rows: number;
  readonly brokenRowsRefused: number;
  readonly requests: number;
  readonly failedRequests: number;
  readonly incidents: number;
  readonly refusedChallengers: number;
  readonly auc: number;
  readonly logLoss: number;
  readonly parityMaxDifference: number;
  readonly seconds: number;
  readonly cacheHit: boolean;
  readonly retrainTrigger: string;
  readonly rollbackReason: string;
  readonly promotedVersions: readonly number[];
  readonly rolledBackVersion: number;
}

/** What only the story's own hands know; everything else is asked of the server at the end. */
export interface Noted {
  readonly rows: number;
  readonly brokenRowsRefused: number;
  readonly requests: number;
  readonly failedRequests: number;
  readonly cacheHit: boolean;
  readonly seconds: number;
}

interface Version {
  readonly version: number;
  readonly rehearsal: string | null;
  readonly parity: { readonly maxDifference: number } | null;
  readonly gate: { readonly outcome: string; readonly auc: number | null; readonly challenger: number | null } | null;
}

interface Rollout {
  readonly version: number;
  readonly state: string;
  readonly reason: string | null;
  readonly sentence: string;
}

export async function collectFacts(levain: Levain, noted: Noted): Promise<Facts> {
  const { rows, brokenRowsRefused, requests, failedRequests, cacheHit, seconds } = noted;
  const versions: Version[] = (await levain.get('/models/flights/versions')).items;
  const rollouts: Rollout[] = (await levain.get('/endpoints/flights/rollouts')).items;
  const runs: { trigger: { kind: string; key: string } }[] = (await levain.get('/pipeline-runs')).items;
  const incidents: unknown[] = (await levain.get('/incidents')).items;
  const first = versions.find(({ version }) => version === 1);
  const retrain = runs.findLast(({ trigger }) => trigger.kind === 'alert');
  const back = rollouts.find(({ state }) => state === 'aborted');
  return {
    ...{ rows, brokenRowsRefused, requests, failedRequests, cacheHit, seconds },
    incidents: incidents.length,
    refusedChallengers: versions.filter(({ gate }) => gate?.outcome === 'failed' || gate?.outcome === 'refused').length,
    auc: first?.gate?.auc ?? Number.NaN,
    logLoss: first?.gate?.challenger ?? Number.NaN,
    parityMaxDifference: Math.max(...versions.flatMap(({ parity }) => (parity ? [parity.maxDifference] : []))),
    retrainTrigger: retrain ? `${retrain.trigger.kind} ${retrain.trigger.key}` : '',
    rollbackReason: back?.reason ?? back?.sentence ?? '',
    promotedVersions: rollouts
      .filter(({ state }) => state === 'done')
      .map(({ version }) => version)
      .sort((a, b) => a - b),
    rolledBackVersion: back?.version ?? 0,
  };
}

/** What did not happen as the story must go; empty when it held. */
export function broken(facts: Facts): string[] {
  const promises: [boolean, string][] = [
    [facts.cacheHit, 'the second run was no cache hit'],
    [facts.brokenRowsRefused > 0, 'the broken file was not refused'],
    [facts.parityMaxDifference <= 1e-6, `serving differs from training by ${facts.parityMaxDifference}`],
    [facts.failedRequests === 0, `${facts.failedRequests} of ${facts.requests} requests failed`],
    [facts.incidents > 0, 'no incident was opened'],
    [facts.retrainTrigger !== '', 'no incident started a retraining'],
    [facts.promotedVersions.includes(1), 'version 1 was never promoted'],
    [facts.rollbackReason !== '', 'nothing was rolled back'],
    [facts.rolledBackVersion > 0, 'the broken version was not rolled back'],
  ];
  return promises.flatMap(([held, sentence]) => (held ? [] : [sentence]));
}
