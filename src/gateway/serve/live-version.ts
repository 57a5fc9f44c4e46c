import { isNumbersOnly } from '../../engines/number-row.ts';
import type { Servable, ServableSpec } from '../../engines/types.ts';
import type { MonitorProfile } from '../../stats/profile.ts';
import { type LogSchema, logSchemaOf } from '../log/batch.ts';
import { createRowScanner, type RowScanner } from '../protocols/scanner/row-scanner.ts';

/** What the golden rows said when a version was loaded. */
export interface SelfTest {
  readonly parity: { readonly maxDifference: number; readonly flips: number; readonly rows: number } | null;
  readonly microsPerRow: number | null;
}

/** A version that is loaded and passed its self-test, at one endpoint. */
export interface LiveVersion {
  readonly spec: ServableSpec;
  readonly servable: Servable;
  readonly selfTest: SelfTest;
  readonly profile: MonitorProfile;
  readonly schema: LogSchema;
  readonly predictFn: 'predict' | 'predict_proba';
  /** Constant parts of its answers. */
  readonly pieces: AnswerPieces;
  /** Reads requests for one row of its columns, where those are numbers. */
  readonly scanRow: RowScanner | undefined;
  /** Requests that it is answering. */
  inFlight: number;
}

export interface AnswerPieces {
  /** `{"model_name":"churn","model_version":"7"` */
  readonly oipStart: string;
  /** OIP's datatype of `predict`. */
  readonly labelType: 'FP64' | 'INT64' | 'BOOL' | 'BYTES';
  /** An answer for one row with two probabilities: what stands before the id, the label and the probabilities. */
  readonly oneRow: { readonly start: string; readonly label: string; readonly probabilities: string };
  readonly isAscii: boolean;
}

/** Without a profile only requests, errors, latencies and labels are counted. */
const NO_PROFILE: MonitorProfile = { rows: 0, features: [], score: { edges: [], counts: [0] }, labelRate: null };

export interface LiveVersionInput {
  readonly projectId: string;
  readonly endpoint: string;
  readonly servable: Servable;
  readonly selfTest: SelfTest;
  readonly profile: MonitorProfile | undefined;
  readonly predictFn: 'predict' | 'predict_proba' | undefined;
}

export function createLiveVersion(input: LiveVersionInput): LiveVersion {
  const { spec } = input.servable;
  const { projectId, endpoint, servable, selfTest } = input;
  return {
    spec,
    servable,
    selfTest,
    profile: input.profile ?? NO_PROFILE,
    schema: logSchemaOf(projectId, endpoint, spec),
    predictFn: input.predictFn ?? 'predict',
    pieces: piecesOf(endpoint, spec),
    scanRow: isNumbersOnly(spec.signature)
      ? createRowScanner(spec.signature.inputs.map(({ name }) => name))
      : undefined,
    inFlight: 0,
  };
}

function piecesOf(endpoint: string, spec: ServableSpec): AnswerPieces {
  const oipStart = `{"model_name":${JSON.stringify(endpoint)},"model_version":"${spec.version}"`;
  const labelType = labelTypeOf(spec);
  return {
    oipStart,
    labelType,
    oneRow: {
      start: `${oipStart},"parameters":{"prediction_ids":"`,
      label: `"},"outputs":[{"name":"predict","shape":[1],"datatype":"${labelType}","data":[`,
      probabilities: ']},{"name":"predict_proba","shape":[1,2],"datatype":"FP64","data":[',
    },
    isAscii: /^[\x20-\x7e]*$/.test(oipStart),
  };
}

function labelTypeOf({ task, classes }: ServableSpec): AnswerPieces['labelType'] {
  if (task === 'regression' || !classes || classes.length === 0) return task === 'regression' ? 'FP64' : 'INT64';
  if (classes.every((label) => typeof label === 'boolean')) return 'BOOL';
  if (classes.every((label) => Number.isInteger(label))) return 'INT64';
  return classes.every((label) => typeof label === 'number') ? 'FP64' : 'BYTES';
}
