import { AppError, isAppError } from '../kernel/errors.ts';
import { getRunDetail, whyStep } from '../pipelines/index.ts';
import { getVersion, parseVersionRef } from '../registry/index.ts';
import { findPrediction, getRollout, listEndpoints } from '../serving/index.ts';
import type { Actor } from '../wire/route.ts';
import { judgedBy } from './evaluation/versions.ts';
import { getIncident } from './incidents/incidents.ts';
import { findLabel, selectHistory } from './labels/labels.store.ts';
import { getRehearsal } from './rehearsals/rehearsals.ts';
import type { MonitoringDeps } from './types.ts';

export interface Why {
  readonly kind: 'incident' | 'version' | 'prediction' | 'run' | 'step' | 'rollout' | 'rehearsal';
  readonly id: string;
  /** The answer for people, line by line. */
  readonly lines: readonly string[];
  readonly next: readonly string[];
  readonly data: unknown;
}

type Finder = (deps: MonitoringDeps, actor: Actor, id: string) => Promise<Why | undefined>;

/** Says why of whatever has this id: incident number, `churn@v7`, prediction, run, `RUN/STEP`, rollout or rehearsal. */
export async function why(deps: MonitoringDeps, actor: Actor, id: string): Promise<Why> {
  for (const find of FINDERS) {
    const found = await find(deps, actor, id).catch((error) => {
      if (isAppError(error, 'not_found') || isAppError(error, 'invalid')) return undefined;
      throw error;
    });
    if (found) return found;
  }
  throw new AppError(
    'not_found',
    `Nothing here is called "${id}"; give the number of an incident, a version such as churn@v7, or the id of a prediction, run, RUN/STEP, rollout or rehearsal`,
    { hint: 'levain activity' },
  );
}

const ofIncident: Finder = async (deps, actor, id) => {
  if (!/^\d{1,12}$/.test(id)) return undefined;
  const incident = await getIncident(deps, actor, Number(id));
  return {
    kind: 'incident',
    id,
    lines: [
      `Incident ${incident.number} of ${incident.model}, ${incident.state}${incident.rehearsal ? ', REHEARSAL' : ''}`,
      ...incident.verdict.split('\n'),
      ...incident.alerts.map(
        (alert) =>
          `${alert.window.slice(0, 10)} ${alert.rule}: ${alert.sentence}${alert.inhibited ? ' (inhibited)' : ''}`,
      ),
      ...incident.actions.map(
        (action) => `${action.eventAt.slice(0, 16).replace('T', ' ')} retraining ${action.decision}: ${action.why}`,
      ),
      ...(incident.resolution ? [`Resolved by ${incident.resolvedBy}: ${incident.resolution}`] : []),
    ],
    next: incident.state === 'open' ? [`levain ack ${incident.number}`, `levain monitor ${incident.model}`] : [],
    data: incident,
  };
};

const ofVersion: Finder = async (deps, actor, id) => {
  if (!/@|^models:/.test(id)) return undefined;
  const version = await getVersion(deps.registry, actor, parseVersionRef(id));
  const { gate, facts, decision } = version;
  const name = `${version.model}@v${version.version}`;
  return {
    kind: 'version',
    id: name,
    lines: [
      `${name} ${version.aliases.includes('champion') ? 'is the champion' : 'is registered'}${version.draft ? ', a draft' : ''}${version.rehearsal ? ', made for a rehearsal' : ''}`,
      ...facts.data.map(
        (cut) =>
          `trained on ${cut.dataset}@v${cut.version}${cut.asOf === null ? '' : ` as of ${new Date(cut.asOf).toISOString().slice(0, 16)}`}`,
      ),
      ...(facts.trainingRows === null ? [] : [`${facts.trainingRows.toLocaleString('en-US')} training rows`]),
      ...(facts.engine
        ? [`answers in ${facts.engine.kind === 'levain' ? 'our own engine' : 'Python'}: ${facts.engine.reason}`]
        : []),
      ...(facts.parity
        ? [`parity: at most ${facts.parity.maxDifference.toExponential(1)} on ${facts.parity.rows} golden rows`]
        : []),
      ...(gate ? [`gate ${gate.outcome}: ${gate.sentence}`] : ['the gate has not run']),
      `approval ${version.approval.replace('_', ' ')}${decision ? ` by ${decision.by}${decision.reason ? `: ${decision.reason}` : ''}` : ''}`,
    ],
    next: [`levain models show ${name}`, ...(version.pipelineRunId ? [`levain why ${version.pipelineRunId}`] : [])],
    data: version,
  };
};

const ofPrediction: Finder = async (deps, actor, id) => {
  const prediction = await findPrediction(deps.serving, { projectId: actor.projectId, id });
  if (!prediction) return undefined;
  const { label, history } = await deps.db.read(async (tx) => ({
    label: await findLabel(tx, actor.projectId, prediction.endpoint, prediction.id),
    history: await selectHistory(tx, actor.projectId, prediction.endpoint, prediction.id),
  }));
  const profile = (await judgedBy(deps, prediction.versionId))?.profile;
  const score = prediction.score === null ? '' : ` (score ${prediction.score.toFixed(4)})`;
  const features = Object.entries(prediction.features).map(([name, value]) => {
    const known = profile?.features.find((feature) => feature.name === name);
    if (known?.kind === 'numeric' && typeof value === 'number')
      return `  ${name} = ${value} (training: ${known.min} to ${known.max}, mean ${known.mean.toPrecision(3)}${value < known.min || value > known.max ? '; OUTSIDE' : ''})`;
    if (known?.kind === 'category' && value !== null && !known.values.includes(String(value)))
      return `  ${name} = ${value} (not among the ${known.values.length} most frequent in training)`;
    return `  ${name} = ${value}`;
  });
  return {
    kind: 'prediction',
    id: prediction.id,
    lines: [
      `${prediction.endpoint} answered ${prediction.label ?? prediction.error ?? 'nothing'}${score} at ${prediction.eventTime}`,
      `by ${prediction.model}@v${prediction.version} as ${prediction.role}${prediction.fallback ? ', fallback' : ''}${prediction.rehearsal ? `, rehearsal ${prediction.rehearsal}` : ''}`,
      ...features,
      label
        ? `label: ${label.value} (${label.source}${history.length > 0 ? `, corrected ${history.length} times` : ''})`
        : 'no label yet',
    ],
    next: [`levain why ${prediction.model}@v${prediction.version}`],
    data: { prediction, label: label ? { value: JSON.parse(label.value), source: label.source, history } : null },
  };
};

const ofStep: Finder = async (deps, actor, id) => {
  const at = id.lastIndexOf('/');
  if (at <= 0) return undefined;
  const step = await whyStep(deps.pipelines, actor.projectId, { id: id.slice(0, at), step: id.slice(at + 1) });
  const changed = step.parts.filter((part) => part.changed);
  return {
    kind: 'step',
    id,
    lines: [
      `${step.step} is ${step.state}${step.reason ? `: ${step.reason}` : ''}`,
      ...(step.comparedWith === null ? ['no run before it tried this step'] : []),
      ...changed.map((part) => `  changed: ${part.what}`),
      ...(changed.length === 0 && step.comparedWith !== null
        ? [`  the same as in run ${step.comparedWith.slice(-7)}: ${step.parts.map((part) => part.what).join(', ')}`]
        : []),
    ],
    next: [`levain why ${id.slice(0, at)}`],
    data: step,
  };
};

const ofRun: Finder = async (deps, actor, id) => {
  const { run, steps } = await getRunDetail(deps.pipelines, actor.projectId, id);
  const trigger = run.trigger.kind === 'alert' ? `alert (incident ${run.trigger.key.split('/')[0]})` : run.trigger.kind;
  return {
    kind: 'run',
    id: run.id,
    lines: [
      `${run.pipeline} run ${run.id.slice(-7)} ${run.state}, started by ${trigger}${run.draft ? ', a draft' : ''}`,
      ...(run.summary ? [run.summary] : []),
      ...steps.map(
        (step) =>
          `  ${step.name}: ${step.state}${step.reason ? `, ${step.reason}` : ''}${step.failure ? `, ${step.failure.message}` : ''}`,
      ),
    ],
    next: [
      ...(run.trigger.kind === 'alert' ? [`levain why ${run.trigger.key.split('/')[0]}`] : []),
      ...(run.model && run.version ? [`levain why ${run.model}@v${run.version}`] : []),
      ...steps.slice(0, 3).map((step) => `levain why ${run.id.slice(-7)}/${step.name}`),
    ],
    data: { run, steps },
  };
};

const ofRollout: Finder = async (deps, actor, id) => {
  for (const { name } of await listEndpoints(deps.serving, actor)) {
    const found = await getRollout(deps.serving, actor, { name, id }).catch((error) => {
      if (isAppError(error)) return undefined;
      throw error;
    });
    if (!found || found.rollout.id !== id) continue;
    const { rollout, transitions } = found;
    return {
      kind: 'rollout',
      id,
      lines: [
        `${rollout.model}@v${rollout.version} is ${rollout.state}: ${rollout.reason ?? rollout.sentence}`,
        ...transitions.map((each) => `  ${each.at.slice(0, 19).replace('T', ' ')} ${each.to}: ${each.sentence}`),
      ],
      next: [`levain rollout ${rollout.model}`],
      data: found,
    };
  }
  return undefined;
};

const ofRehearsal: Finder = async (deps, actor, id) => {
  const rehearsal = await getRehearsal(deps, actor, id);
  const { report } = rehearsal;
  return {
    kind: 'rehearsal',
    id,
    lines: [
      `REHEARSAL ${rehearsal.kind} of ${rehearsal.model}, ${rehearsal.state}: ${report.sentence}`,
      ...report.acted.map((line) => `  ${line}`),
      ...(report.cost ? [`  cost: ${report.cost}`] : []),
    ],
    next: rehearsal.incident === null ? [] : [`levain why ${rehearsal.incident}`],
    data: rehearsal,
  };
};

const FINDERS: readonly Finder[] = [ofIncident, ofVersion, ofStep, ofPrediction, ofRollout, ofRehearsal, ofRun];
