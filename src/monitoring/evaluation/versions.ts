import { findVersionById, type ModelVersion, profileOf, type TruthRule, truthRule } from '../../registry/index.ts';
import type { MonitorProfile } from '../../stats/profile.ts';
import type { MonitoringDeps } from '../types.ts';

/** What windows of a version are judged by. */
export interface Judged {
  readonly version: ModelVersion;
  readonly profile: MonitorProfile | null;
  readonly rule: TruthRule | null;
  readonly task: 'binary' | 'multiclass' | 'regression';
  readonly threshold: number;
}

const MAX_KEPT = 100;

/** A version with its profile and rule; kept by id, for both never change. undefined for ids that nothing is known of. */
export async function judgedBy(deps: MonitoringDeps, versionId: string): Promise<Judged | undefined> {
  const known = deps.runtime.versions.get(versionId) as Judged | undefined;
  if (known) return known;
  const version = await findVersionById(deps.registry, versionId);
  if (!version) return undefined;
  const profile = await profileOf(deps.registry, version.projectId, version);
  const { spec } = version;
  const judged: Judged = {
    version,
    profile,
    rule: spec ? ruleOf(version, spec) : null,
    task: spec?.task ?? 'binary',
    threshold: spec?.threshold ?? version.facts.section?.target?.threshold ?? 0.5,
  };
  if (deps.runtime.versions.size >= MAX_KEPT) deps.runtime.versions.clear();
  deps.runtime.versions.set(versionId, judged);
  return judged;
}

/** Without a word about it, the second of two classes is the positive one. */
function ruleOf(version: ModelVersion, spec: NonNullable<ModelVersion['spec']>): TruthRule {
  const rule = truthRule(spec, version.facts.section?.target ?? null, version.facts.coding ?? null);
  const second = spec.classes?.length === 2 ? spec.classes[1]! : 1;
  return rule.task === 'binary' && rule.positive === null ? { ...rule, positive: second } : rule;
}
