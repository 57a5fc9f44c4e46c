import type { Outputs } from '../../engines/types.ts';
import { AppError, isAppError, messageOf } from '../../kernel/errors.ts';
import { type ColumnValues, type Frame, findColumn } from '../../kernel/frame.ts';
import type { Clock } from '../../ports/system.ts';
import type { FallbackValue } from '../../serving/wire.ts';
import { LIMITS } from '../limits.ts';
import { entityOf, type LoggedRequest } from '../log/batch.ts';
import type { PredictionLog } from '../log/prediction-log.ts';
import { type Call, checkInputs, rowCountOf } from '../protocols/call.ts';
import { fallbackOutputs } from './fallback.ts';
import type { Breach } from './limit-watch.ts';
import type { Choice, LiveEndpoint } from './live-endpoint.ts';
import type { LiveVersion } from './live-version.ts';
import { rowsInWords, withRefusals } from './refusals.ts';
import { score } from './scoring.ts';
import type { ShadowQueue } from './shadow.ts';

/** What came with a request beside its body. */
export interface Facts {
  /** `performance.now()` when its headers were read. */
  readonly startedAt: number;
  /** Wall time of that. */
  readonly receivedAt: number;
  readonly rehearsal: string | null;
  readonly forced: string | null;
  readonly caller: string | null;
}

export interface Answer {
  readonly ok: true;
  readonly version: LiveVersion;
  readonly outputs: Outputs;
  readonly ids: readonly string[];
  readonly call: Call;
  readonly fallback: boolean;
}

/** The model failed: data, not an exception. */
export interface Failure {
  readonly ok: false;
  readonly message: string;
  readonly isUnavailable: boolean;
  /** The rows hold what the model cannot take: theirs to mend who sent them. */
  readonly isCallers: boolean;
  readonly ids: readonly string[];
}

export type Outcome = Answer | Failure;

export interface PredictDeps {
  readonly clock: Clock;
  readonly newId: (timeMs: number) => string;
  readonly log: PredictionLog;
  readonly shadow: ShadowQueue;
  readonly onBreach: (endpoint: LiveEndpoint, choice: Choice, breach: Breach) => void;
}

/** One request on its way: what is known before the model is asked. */
interface Passage {
  readonly endpoint: LiveEndpoint;
  readonly call: Call;
  readonly facts: Facts;
  readonly choice: Choice;
  readonly ids: readonly string[];
  readonly eventTime: number;
  readonly entities: ColumnValues | null;
}

/**
 * Answers one call at an endpoint, at once where its version can. Throws `invalid` for rows that break the signature (logged as refused),
 * `unavailable` where nothing is ready or too much waits. Every answer, failure and refusal is in the prediction log when this returns or resolves.
 */
export function predict(
  deps: PredictDeps,
  endpoint: LiveEndpoint,
  call: Call,
  facts: Facts,
): Outcome | Promise<Outcome> {
  const eventTime = endpoint.clock.timeOf(call.eventTime, facts.receivedAt);
  const ids = newIds(deps, rowCountOf(call.inputs), eventTime);
  const entities = entitiesOf(endpoint, call);
  const unit = entityOf({ entity: call.entity, entities }, 0);
  const choice = endpoint.choose(unit ?? ids[0]!, facts.rehearsal, facts.forced);
  const passage: Passage = { endpoint, call, facts, choice, ids, eventTime, entities };
  const frame = checkedFrame(deps, passage);
  const fallback = endpoint.traffic?.desired.fallback;
  if (fallback?.active && facts.forced === null) return answerFallback(deps, passage, frame, fallback.value);
  return ask(deps, passage, choice.version, frame, false);
}

function newIds({ newId }: PredictDeps, rowCount: number, eventTime: number): string[] {
  const ids = new Array<string>(rowCount);
  for (let i = 0; i < rowCount; i++) ids[i] = newId(eventTime);
  return ids;
}

/** Each row's own entity, where a column of that name came along. */
function entitiesOf(endpoint: LiveEndpoint, { inputs, entity }: Call): ColumnValues | null {
  const name = endpoint.traffic?.desired.entity;
  if (!name || entity !== null || inputs.kind === 'rows') return null;
  if (inputs.kind !== 'row') return findColumn(inputs.frame, name)?.values ?? null;
  const at = inputs.names?.indexOf(name) ?? -1;
  return at < 0 ? null : inputs.cells.slice(at, at + 1);
}

function checkedFrame(deps: PredictDeps, passage: Passage): Frame {
  const { signature } = passage.choice.version.spec;
  try {
    return checkInputs(passage.call.inputs, signature);
  } catch (error) {
    if (isAppError(error, 'invalid')) logRefusal(deps, passage, error.message);
    throw error;
  }
}

/** Asks a version; a failure is answered by the fallback where that is configured. */
function ask(
  deps: PredictDeps,
  passage: Passage,
  version: LiveVersion,
  frame: Frame,
  fallback: boolean,
): Outcome | Promise<Outcome> {
  let outputs: Outputs | Promise<Outputs>;
  if (!version.servable.predictSync && passage.endpoint.stats.inFlight >= LIMITS.waitingPerEndpoint) {
    passage.endpoint.stats.overloaded += 1;
    throw new AppError(
      'unavailable',
      `Endpoint "${passage.endpoint.name}" has ${LIMITS.waitingPerEndpoint} requests waiting; try again shortly`,
    );
  }
  try {
    outputs = score(version, frame);
  } catch (error) {
    return fail(deps, passage, version, frame, error, fallback);
  }
  if (!(outputs instanceof Promise)) return finish(deps, passage, version, frame, outputs, fallback);
  const { stats } = passage.endpoint;
  stats.inFlight += 1;
  version.inFlight += 1;
  return outputs
    .then(
      (done) => finish(deps, passage, version, frame, done, fallback),
      (error: unknown) => fail(deps, passage, version, frame, error, fallback),
    )
    .finally(() => {
      stats.inFlight -= 1;
      version.inFlight -= 1;
    });
}

function finish(
  deps: PredictDeps,
  passage: Passage,
  version: LiveVersion,
  frame: Frame,
  answered: Outputs,
  fallback: boolean,
): Outcome | Promise<Outcome> {
  const outputs = passage.choice.role === 'champion' ? withRefusals(answered, frame) : answered;
  const errors = outputs.errors ?? [];
  if (errors.length > 0 && errors.length >= outputs.rowCount && !fallback) {
    if (errors.every(({ refused }) => refused)) return refuse(deps, passage, version, frame, outputs);
    return fail(deps, passage, version, frame, new Error(errors.find(({ refused }) => !refused)!.message), fallback);
  }
  record(deps, passage, version, frame, outputs, fallback);
  const { choice, endpoint, call, ids } = passage;
  if (choice.shadow && choice.role === 'champion' && !fallback)
    deps.shadow.push({
      endpoint,
      version: choice.shadow,
      request: requestOf(passage, choice.shadow, 0, false, 'shadow', null),
      call,
      unanswered: new Set(errors.map(({ row }) => row)),
    });
  return { ok: true, version, outputs, ids, call, fallback };
}

/** No row can be answered, and the rows are why: logged as refused, each with its reason. */
function refuse(deps: PredictDeps, passage: Passage, version: LiveVersion, frame: Frame, outputs: Outputs): Failure {
  deps.log.append(requestOf(passage, version, latencyUsOf(passage), false, passage.choice.role, null), frame, outputs);
  const { endpoint, choice, facts, ids } = passage;
  endpoint.stats.arm(version.spec.versionId, version.spec.version, choice.role, facts.rehearsal !== null).refused += 1;
  return { ok: false, message: rowsInWords(outputs), isUnavailable: false, isCallers: true, ids };
}

function fail(
  deps: PredictDeps,
  passage: Passage,
  version: LiveVersion,
  frame: Frame,
  error: unknown,
  fallback: boolean,
): Outcome | Promise<Outcome> {
  const message = messageOf(error).slice(0, LIMITS.errorCharacters);
  const configured = passage.endpoint.traffic?.desired.fallback;
  if (!fallback && configured?.onFailure && passage.facts.forced === null) {
    observe(deps, passage, latencyUsOf(passage), true);
    return answerFallback(deps, passage, frame, configured.value, message);
  }
  const latencyUs = latencyUsOf(passage);
  const request = requestOf(passage, version, latencyUs, fallback, passage.choice.role, message);
  deps.log.append(request, frame, null);
  tally(passage, version, frame.rowCount, latencyUs, true, fallback);
  observe(deps, passage, latencyUs, true);
  return { ok: false, message, isUnavailable: isAppError(error, 'unavailable'), isCallers: false, ids: passage.ids };
}

function answerFallback(
  deps: PredictDeps,
  passage: Passage,
  frame: Frame,
  value: FallbackValue,
  error?: string,
): Outcome | Promise<Outcome> {
  const { endpoint, choice, call, ids } = passage;
  if (value.kind !== 'version') {
    const outputs = fallbackOutputs(value, choice.version.spec, frame.rowCount);
    record(deps, passage, choice.version, frame, outputs, true, error);
    return { ok: true, version: choice.version, outputs, ids, call, fallback: true };
  }
  const version = endpoint.traffic?.versions.get(value.versionId);
  if (!version)
    throw new AppError('unavailable', `The fallback of endpoint "${endpoint.name}" is a version that is not loaded`);
  const rows = checkInputs(call.inputs, version.spec.signature);
  return ask(deps, passage, version, rows, true);
}

/** Logs and counts an answer, and moves the event clock. */
function record(
  deps: PredictDeps,
  passage: Passage,
  version: LiveVersion,
  frame: Frame,
  outputs: Outputs,
  fallback: boolean,
  error?: string,
): void {
  const latencyUs = latencyUsOf(passage);
  const { role } = passage.choice;
  const request = requestOf(passage, version, latencyUs, fallback, role, error ?? null);
  deps.log.append(request, frame, outputs);
  const failed = error !== undefined || outputs.errors?.some(({ refused }) => !refused) === true;
  tally(passage, version, frame.rowCount, latencyUs, failed, fallback);
  if (!fallback) observe(deps, passage, latencyUs, failed);
  const { call, endpoint, facts } = passage;
  if (call.eventTime !== null && facts.rehearsal === null) endpoint.clock.observe(passage.eventTime);
}

function tally(
  { endpoint, choice, facts }: Passage,
  version: LiveVersion,
  rows: number,
  latencyUs: number,
  failed: boolean,
  fallback: boolean,
): void {
  const { versionId, version: number } = version.spec;
  endpoint.stats
    .arm(versionId, number, choice.role, facts.rehearsal !== null)
    .answered(rows, latencyUs, failed, fallback);
}

/** The hard limits see the challenger only, as part of its rollout. */
function observe(deps: PredictDeps, { endpoint, choice }: Passage, latencyUs: number, failed: boolean): void {
  if (choice.role !== 'challenger' || choice.rollout === null) return;
  const breach = endpoint.watch?.observe(latencyUs / 1000, failed);
  if (breach) deps.onBreach(endpoint, choice, breach);
}

function logRefusal(deps: PredictDeps, passage: Passage, message: string): void {
  const { version, role } = passage.choice;
  const request = requestOf(
    passage,
    version,
    latencyUsOf(passage),
    false,
    role,
    message.slice(0, LIMITS.errorCharacters),
  );
  deps.log.append({ ...request, status: 2, ids: request.ids.slice(0, 1) }, null, null);
  const { versionId, version: number } = version.spec;
  passage.endpoint.stats.arm(versionId, number, role, passage.facts.rehearsal !== null).refused += 1;
}

const latencyUsOf = ({ facts }: Passage): number => (performance.now() - facts.startedAt) * 1000;

function requestOf(
  passage: Passage,
  version: LiveVersion,
  latencyUs: number,
  fallback: boolean,
  role: LoggedRequest['role'],
  error: string | null,
): LoggedRequest {
  const { call, facts, choice, ids, eventTime, entities } = passage;
  return {
    version,
    role,
    requestId: ids[0]!,
    ids,
    callerId: call.callerId,
    rolloutId: choice.rollout?.id ?? null,
    revision: choice.rollout?.revision ?? null,
    eventTime,
    receivedAt: facts.receivedAt,
    entity: call.entity,
    entities,
    latencyUs,
    fallback,
    rehearsal: facts.rehearsal,
    caller: facts.caller,
    status: error === null ? 0 : 1,
    error,
  };
}
