import type { Hold, ModelVersion, RegisteredModel } from './types.ts';

/** How versions look on our wire: ISO times, without the sections that only the server needs. */
export interface ModelVersionWire {
  readonly model: string;
  readonly version: number;
  readonly id: string;
  readonly state: string;
  readonly aliases: readonly string[];
  readonly createdAt: string;
  readonly runId: string | null;
  readonly pipelineRunId: string | null;
  readonly draft: boolean;
  readonly rehearsal: string | null;
  readonly madeOf: ModelVersion['facts']['madeOf'];
  readonly task: string | null;
  readonly signature: NonNullable<ModelVersion['spec']>['signature'] | null;
  readonly classes: readonly unknown[] | null;
  /** The data's own words for the classes, where the notebook codes them. */
  readonly words: readonly unknown[] | null;
  readonly engine: ModelVersion['facts']['engine'];
  readonly parity: ModelVersion['facts']['parity'];
  readonly metrics: Readonly<Record<string, number>>;
  readonly trainingRows: number | null;
  readonly data: readonly { dataset: string; version: number; versionId: string; asOf: string | null }[];
  readonly environment: string | null;
  readonly source: string | null;
  readonly gate: ModelVersion['gate'];
  readonly approval: string;
  readonly decision: ModelVersion['decision'];
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export const toVersionWire = (version: ModelVersion): ModelVersionWire => ({
  model: version.model,
  version: version.version,
  id: version.id,
  state: version.state,
  aliases: version.aliases,
  createdAt: new Date(version.createdAt).toISOString(),
  runId: version.runId,
  pipelineRunId: version.pipelineRunId,
  draft: version.draft,
  rehearsal: version.rehearsal,
  madeOf: version.facts.madeOf,
  task: version.spec?.task ?? null,
  signature: version.spec?.signature ?? null,
  classes: version.spec?.classes ?? null,
  words: version.spec?.words ?? null,
  engine: version.facts.engine,
  parity: version.facts.parity,
  metrics: version.facts.metrics,
  trainingRows: version.facts.trainingRows,
  data: version.facts.data.map(({ dataset, version: n, versionId, asOf }) => ({
    dataset,
    version: n,
    versionId,
    asOf: iso(asOf),
  })),
  environment: version.facts.env,
  source: version.facts.sourceDigest,
  gate: version.gate,
  approval: version.approval,
  decision: version.decision,
});

export interface RegisteredModelWire {
  readonly name: string;
  readonly createdAt: string;
  readonly versions: number;
  readonly champion: number | null;
  readonly hold: Hold | null;
  readonly waiting: readonly number[];
}

export const toModelWire = (model: RegisteredModel): RegisteredModelWire => ({
  ...model,
  createdAt: new Date(model.createdAt).toISOString(),
});
