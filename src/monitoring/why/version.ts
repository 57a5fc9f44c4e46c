import { getVersion, type ModelVersion, parseVersionRef } from '../../registry/index.ts';
import type { Finder } from './types.ts';

export const ofVersion: Finder = async (deps, actor, id) => {
  if (!/@|^models:/.test(id)) return undefined;
  const version = await getVersion(deps.registry, actor, parseVersionRef(id));
  const name = `${version.model}@v${version.version}`;
  return {
    kind: 'version',
    id: name,
    answer: `${name} ${standing(version)} because ${reason(version)}. ${origin(version)}`,
    details: detailsOf(version).map((line) => `  ${line}`),
    next: [`levain models show ${name}`, ...(version.pipelineRunId ? [`levain why ${version.pipelineRunId}`] : [])],
    links: {
      version: `/models/${encodeURIComponent(version.model)}/versions/${version.version}`,
      ...(version.pipelineRunId && { run: `/pipeline-runs/${version.pipelineRunId}` }),
    },
    data: version,
  };
};

function standing(version: ModelVersion): string {
  if (version.rehearsal !== null) return 'exists';
  if (version.aliases.includes('champion')) return 'answers as the champion';
  if (version.draft) return 'stays a draft';
  const words = {
    approved: 'may be deployed',
    rejected: 'is not deployed',
    waiting: 'waits',
    void: 'has to be approved again',
    not_needed: 'is not deployed',
  } as const;
  return words[version.approval];
}

/** Gate, then approval: what decided. */
function reason(version: ModelVersion): string {
  if (version.rehearsal !== null)
    return `the rehearsal ${version.rehearsal} made it of v${version.facts.madeOf?.version ?? '?'} with a fault; it never answers real requests`;
  if (version.draft) return 'its run used a file that was not applied';
  const { gate, decision, approval } = version;
  const measured = gate ? `the gate says it ${gateWords(version, gate.sentence)}` : 'the gate has not run';
  if (approval === 'waiting') return `${measured}, and a human has to approve it`;
  if (decision && approval !== 'not_needed')
    return `${measured}, and ${decision.by} ${approval === 'rejected' ? 'rejected' : 'approved'} it${decision.reason ? ` (${decision.reason})` : ''}`;
  return measured;
}

/** The gate's sentence begins with the version, which was named already. */
function gateWords({ model, version }: ModelVersion, sentence: string): string {
  const told = sentence.replace(`${model}@v${version} `, '').replace(/\.$/, '');
  return told.startsWith('not measured') ? `was ${told}` : told;
}

function origin({ facts, createdAt }: ModelVersion): string {
  const cuts = facts.data.map((cut) => `${cut.dataset}@v${cut.version}`).join(' and ');
  const rows = facts.trainingRows === null ? '' : `${facts.trainingRows.toLocaleString('en-US')} rows`;
  const from = cuts ? ` from ${rows ? `${rows} of ` : ''}${cuts}` : '';
  const at = new Date(createdAt).toISOString().slice(0, 16).replace('T', ' ');
  const engine = facts.engine
    ? ` It answers ${facts.engine.kind === 'levain' ? 'in our own engine' : 'in Python'} (${facts.engine.reason}).`
    : '';
  return `It was made${from} at ${at}.${engine}`;
}

function detailsOf({ facts, gate, approval, decision }: ModelVersion): string[] {
  return [
    ...facts.data.map(
      (cut) =>
        `trained on ${cut.dataset}@v${cut.version}${cut.asOf === null ? '' : ` as of ${new Date(cut.asOf).toISOString().slice(0, 16)}`}`,
    ),
    ...(facts.parity
      ? [`parity: at most ${facts.parity.maxDifference.toExponential(1)} on ${facts.parity.rows} golden rows`]
      : []),
    gate ? `gate ${gate.outcome}: ${gate.sentence}` : 'the gate has not run',
    `approval ${approval.replace('_', ' ')}${decision ? ` by ${decision.by}${decision.reason ? `: ${decision.reason}` : ''}` : ''}`,
  ];
}
