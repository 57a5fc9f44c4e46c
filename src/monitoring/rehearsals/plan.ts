import { faultWords } from '../../registry/index.ts';
import type { Endpoint } from '../../serving/index.ts';
import type { Judged } from '../evaluation/versions.ts';
import { grouped } from '../labels/labels.ts';
import { faultOf } from './faulty-model.ts';
import type { Spoiler } from './spoilers.ts';
import type { Rehearsing } from './start.ts';

interface Planned {
  readonly endpoint: Endpoint;
  readonly judged: Judged;
  readonly input: Rehearsing['input'];
  /** Of kinds that spoil a column. */
  readonly spoil: Spoiler | undefined;
}

/** What a rehearsal would do, and what it leaves alone. */
export function planSentence(planned: Planned): string {
  const { endpoint, input, spoil } = planned;
  const rows = input.rows === undefined ? 'the rows of the last logged day' : `${grouped(input.rows)} logged rows`;
  if (spoil)
    return `${rows} go through "${endpoint.name}" once more with ${spoil.words}. ${TAGGED} Retraining is held back while it lasts.`;
  if (input.kind === 'late-labels')
    return `days of predictions to which no label comes go by in event time, until the performance light says so. ${TAGGED}`;
  return `a version of v${endpoint.champion} that ${faultInWords(planned)} is rolled out on "${endpoint.name}" to tagged requests only; no real request reaches it. Where the rollout takes it back, ${endpoint.model} is HELD until resume.`;
}

const TAGGED = 'Its requests are tagged: windows, labels and clocks of real traffic stay as they are.';

function faultInWords({ input, judged }: Planned): string {
  if (input.kind === 'broken-model') return faultWords(faultOf(input, judged));
  return input.amount === undefined
    ? 'takes about six times as long as the champion'
    : faultWords({ kind: 'slow', ms: Math.max(1, Math.round(input.amount)) });
}
