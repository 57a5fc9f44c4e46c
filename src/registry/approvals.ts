import { recordActivity } from '../identity/index.ts';
import { AppError } from '../kernel/errors.ts';
import { digestOf } from '../kernel/hash.ts';
import { publish } from '../outbox/index.ts';
import type { Tx } from '../ports/db.ts';
import type { Actor } from '../wire/route.ts';
import { findHoldIn } from './holds.ts';
import type { ApprovalState, Decision, ModelVersion, RegistryDeps, VersionRef } from './types.ts';
import * as store from './versions.store.ts';
import { getVersion, getVersionIn } from './versions.ts';

type Deps = Pick<RegistryDeps, 'db' | 'clock' | 'random' | 'identity' | 'outbox'>;

/** Data, model, environment, features and measured metrics: exactly what an approval is for. */
export const subjectDigest = (version: ModelVersion): string =>
  digestOf({
    files: version.facts.files,
    features: version.facts.featuresDigest,
    env: version.facts.env,
    data: version.facts.data.map((cut) => cut.cutDigest),
    gate: version.gate && {
      rows: version.gate.rowsDigest,
      challenger: version.gate.challenger,
      outcome: version.gate.outcome,
    },
  });

/**
 * After the gate: approved at once where the file says so, waiting for a person, or nothing to decide (failed, refused, draft).
 * A person is asked for the first version, when code, signature or source changed, where nothing was measured, and where the
 * file asks for one at every retraining.
 */
export async function decideAfterGate(
  deps: Deps,
  actor: Actor,
  input: { readonly model: string; readonly version: number },
): Promise<ModelVersion> {
  return deps.db.write(async (tx) => {
    const version = await getVersionIn(tx, actor.projectId, input);
    const outcome = version.gate?.outcome;
    if (version.draft || outcome === undefined || outcome === 'failed' || outcome === 'refused') return version;
    const champion = await championIn(tx, version);
    const reason = await reasonToAsk(tx, version, champion);
    const state: ApprovalState = reason === null ? 'approved' : 'waiting';
    const sentence = reason === null ? 'approved by rule: the gate passed and nothing but the data changed' : reason;
    await decide(tx, deps, version, state, { by: 'levain', reason: sentence });
    return getVersionIn(tx, actor.projectId, input);
  });
}

async function championIn(tx: Tx, version: ModelVersion): Promise<ModelVersion | undefined> {
  const number = await store.findAlias(tx, version.projectId, version.model, 'champion');
  return number === undefined
    ? undefined
    : getVersionIn(tx, version.projectId, { model: version.model, version: number });
}

/** Why a person must look, or null where the file lets the version pass by itself. */
async function reasonToAsk(tx: Tx, version: ModelVersion, champion: ModelVersion | undefined): Promise<string | null> {
  const rule = version.facts.section?.approve;
  if (version.gate?.outcome === 'not_measured') return 'waits for a person: nothing was measured';
  if (await findHoldIn(tx, version.projectId, version.model)) return 'waits for a person: the model is held';
  if (!champion) return rule?.first === 'auto' ? null : 'waits for a person: it is the first version';
  const changed = whatChanged(version, champion);
  if (changed && rule?.first !== 'auto') return `waits for a person: ${changed} changed since v${champion.version}`;
  return rule?.retrain === 'human' ? 'waits for a person: the file asks for one at every retraining' : null;
}

function whatChanged(version: ModelVersion, champion: ModelVersion): string | null {
  if (version.facts.sourceDigest !== champion.facts.sourceDigest) return 'the code';
  if (version.facts.fileDigest !== champion.facts.fileDigest) return 'levain.yaml';
  if (version.facts.featuresDigest !== champion.facts.featuresDigest) return 'features.py';
  const same = digestOf(version.spec?.signature ?? null) === digestOf(champion.spec?.signature ?? null);
  return same ? null : 'the signature';
}

export async function approve(
  deps: Deps,
  actor: Actor,
  input: VersionRef & { readonly reason?: string | undefined },
): Promise<ModelVersion> {
  return byPerson(deps, actor, input, 'approved');
}

export async function reject(
  deps: Deps,
  actor: Actor,
  input: VersionRef & { readonly reason?: string | undefined },
): Promise<ModelVersion> {
  return byPerson(deps, actor, input, 'rejected');
}

async function byPerson(
  deps: Deps,
  actor: Actor,
  input: VersionRef & { readonly reason?: string | undefined },
  to: 'approved' | 'rejected',
): Promise<ModelVersion> {
  return deps.db.write(async (tx) => {
    const version = await getVersionIn(tx, actor.projectId, input);
    if (version.approval === to) return version;
    assertDecidable(version, to);
    await decide(tx, deps, version, to, { by: actor.user, reason: input.reason ?? '' });
    return getVersionIn(tx, actor.projectId, { model: version.model, version: version.version });
  });
}

function assertDecidable(version: ModelVersion, to: 'approved' | 'rejected'): void {
  const name = `${version.model}@v${version.version}`;
  if (version.draft)
    throw new AppError(
      'conflict',
      `${name} is a draft: its levain.yaml differs from the applied one; run "levain apply", then "levain run"`,
    );
  if (to === 'rejected' && version.aliases.includes('champion'))
    throw new AppError(
      'conflict',
      `${name} is the champion; "levain rollback ${version.model}" takes it out of service`,
    );
  if (to === 'rejected') return;
  if (version.gate?.outcome === 'failed' || version.gate?.outcome === 'refused')
    throw new AppError('conflict', `${name} cannot be approved: ${version.gate.sentence}`);
  if (version.approval !== 'waiting')
    throw new AppError(
      'conflict',
      `${name} does not wait for an approval; it is ${version.approval.replace('_', ' ')}`,
    );
}

async function decide(
  tx: Tx,
  deps: Omit<Deps, 'db'>,
  version: ModelVersion,
  state: ApprovalState,
  who: { readonly by: string; readonly reason: string },
): Promise<void> {
  const now = deps.clock.now();
  const rule = version.facts.section?.approve;
  const due = state === 'waiting' && rule?.withinMs ? now + rule.withinMs : null;
  const decision: Decision = {
    by: who.by,
    at: now,
    reason: who.reason,
    subjectDigest: subjectDigest(version),
    dueAt: due,
    atDeadline: due === null ? null : (rule?.then ?? 'keep_champion'),
  };
  await store.updateApproval(tx, version.id, state, decision);
  await recordActivity(tx, deps.identity, {
    projectId: version.projectId,
    at: now,
    kind: 'approval',
    subject: `${version.model}@v${version.version}`,
    sentence: decisionSentence(version, state, decision),
    command:
      state === 'waiting'
        ? `levain approve ${version.model}@v${version.version}`
        : `levain models show ${version.model}@v${version.version}`,
    actor: who.by,
  });
  if (state !== 'approved') return;
  await publish(
    tx,
    {
      topic: 'registry.version_approved',
      projectId: version.projectId,
      key: version.id,
      payload: { model: version.model, version: version.version },
    },
    deps,
  );
}

function decisionSentence(version: ModelVersion, state: ApprovalState, decision: Decision): string {
  const name = `${version.model}@v${version.version}`;
  if (state === 'waiting') return `${name} ${decision.reason}`;
  const why = decision.reason === '' ? '' : `: ${decision.reason}`;
  return `${name} ${state} by ${decision.by}${why}`;
}

/** What one approves, in one sentence. */
export function approvalSentence(version: ModelVersion): string {
  const { facts, gate } = version;
  const data = facts.data.map((cut) => `${cut.dataset} v${cut.version}`).join(', ') || 'no data';
  const parts = [`model ${version.id.slice(-7)}`, `data ${data}`, `env ${facts.env?.slice(0, 7) ?? '—'}`];
  const measured = gate?.difference
    ? `${gate.metric} ${gate.challenger?.toFixed(3)}, ${Math.abs(gate.difference.mean).toFixed(4)} ${gate.difference.mean >= 0 ? 'better' : 'worse'} [${gate.difference.low.toFixed(4)}, ${gate.difference.high.toFixed(4)}]`
    : (gate?.sentence ?? 'not measured');
  const flips =
    gate?.flips == null
      ? ''
      : `; ${gate.flips.toLocaleString('en-US')} of ${gate.rows.toLocaleString('en-US')} decisions change`;
  return `You approve v${version.version}: ${parts.join(', ')}; ${measured}${flips}.`;
}

/** Versions whose approval is due: decided as their file says. Returns how many. */
export async function settleOverdue(deps: Deps): Promise<number> {
  const now = deps.clock.now();
  return deps.db.write(async (tx) => {
    let settled = 0;
    for (const row of await store.listWaiting(tx)) {
      const version = store.toVersion(row, []);
      const due = version.decision?.dueAt;
      if (due == null || due > now) continue;
      const to = version.decision?.atDeadline === 'approve' ? 'approved' : 'rejected';
      const sentence = to === 'approved' ? 'nobody objected in time' : 'nobody approved in time; the champion stays';
      await decide(tx, deps, version, to, { by: 'levain', reason: sentence });
      settled += 1;
    }
    return settled;
  });
}

/** Throws `conflict` unless the version may be deployed: approved over exactly what it is now, and no draft. */
export async function assertDeployable(
  deps: Pick<RegistryDeps, 'db'>,
  actor: Pick<Actor, 'projectId'>,
  ref: VersionRef,
): Promise<ModelVersion> {
  const version = await getVersion(deps, actor, ref);
  const name = `${version.model}@v${version.version}`;
  if (version.draft)
    throw new AppError('conflict', `${name} is a draft and never becomes champion; apply the file and run again`);
  if (version.approval !== 'approved')
    throw new AppError(
      'conflict',
      `${name} is not approved (${version.approval.replace('_', ' ')}); "levain approve ${name}" approves it`,
    );
  if (version.decision?.subjectDigest !== subjectDigest(version))
    throw new AppError(
      'conflict',
      `The approval of ${name} is void: what it was given for has changed since; approve it again`,
    );
  return version;
}
