import { z } from 'zod';
import { AppError, type ErrorCode } from '../../kernel/errors.ts';
import type { Actor, Permission, RawResponse, Route, RouteContext } from '../../wire/route.ts';
import { invalid, isMessage, type Message } from './message.ts';

export interface Call {
  readonly actor: Actor;
  /** The fields of the request: the query of a GET, else the JSON body; path parameters win over both. */
  readonly message: Message;
}

export interface Rpc {
  readonly method: Route['method'];
  /** Below `/api/N.0/mlflow`; path parameters as `:name`. */
  readonly path: string;
  readonly permission: Permission;
  readonly summary: string;
  /** The versions of the API that have it; 2 unless given. */
  readonly major?: 2 | 3;
  readonly handler: (call: Call) => Promise<unknown>;
}

type Context = RouteContext<Message | undefined, Message | undefined, unknown>;

/** The same call under each prefix that clients use: the Python client's, the browser's, and that of 1.x. */
export const routesOf = (rpc: Rpc): readonly Route[] =>
  prefixesOf(rpc.major ?? 2).map((prefix) => ({
    method: rpc.method,
    path: `${prefix}/mlflow${rpc.path}`,
    permission: rpc.permission,
    summary: `MLflow: ${rpc.summary}`,
    ...(rpc.method === 'GET' ? {} : { body: z.unknown(), bodyLimitBytes: MAX_BODY_BYTES }),
    hint: ((context: Context) => hintOf(rpc, context)) as unknown as NonNullable<Route['hint']>,
    handler: ((context: Context) => answer(rpc, context)) as unknown as Route['handler'],
  }));

/** Our own word for what MLflow's path names first. */
const TOPICS: Readonly<Record<string, string>> = { 'registered-models': 'models', 'model-versions': 'models' };

/** Pages hear of one run by its id, so that a run which logs much does not make the pages of others ask again. */
function hintOf(rpc: Rpc, { body }: Context): string | undefined {
  if (rpc.permission === 'read') return undefined;
  const noun = /^\/([a-z-]+)/.exec(rpc.path)?.[1] ?? 'all';
  const topic = TOPICS[noun] ?? noun;
  const runId = topic === 'runs' && isMessage(body) ? (body['run_id'] ?? body['run_uuid']) : undefined;
  return typeof runId === 'string' && runId.length <= MAX_RUN_ID ? `runs/${runId}` : topic;
}

const MAX_RUN_ID = 64;

/** A batch of 1,000 metrics is about 150 KB, a dataset's profile up to 16 MB. */
export const MAX_BODY_BYTES = 32 * 2 ** 20;

const prefixesOf = (major: 2 | 3): readonly string[] =>
  major === 2 ? ['/api/2.0', '/ajax-api/2.0', '/api/2.0/preview'] : ['/api/3.0', '/ajax-api/3.0'];

async function answer(rpc: Rpc, context: Context): Promise<unknown> {
  try {
    return await rpc.handler({ actor: context.actor, message: toMessage(rpc, context) });
  } catch (error) {
    return toErrorAnswer(error);
  }
}

function toMessage(rpc: Rpc, { query, params, body, headers }: Context): Message {
  if (rpc.method === 'GET') return rpc.path.includes(':') ? { ...query, ...params } : (query ?? {});
  const message = parseBody(body, headers['content-type']);
  return rpc.path.includes(':') ? { ...message, ...params } : message;
}

/** Old clients encode their JSON twice; an empty body is an empty message. */
function parseBody(body: unknown, contentType: string | string[] | undefined): Message {
  if (body === undefined || body === null) return {};
  if (!/^application\/json\b/i.test(String(contentType ?? ''))) {
    throw invalid("Bad Request. Content-Type must be one of ['application/json'].");
  }
  const value = typeof body === 'string' ? parseText(body) : body;
  if (isMessage(value)) return value;
  throw invalid('The body must be a JSON object');
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('The body is not JSON');
  }
}

interface MlflowError {
  readonly status: number;
  readonly code: string;
}

/** A name that is taken is 400 in MLflow, not 409; so is a state that forbids the call, because clients retry a 500. */
const ERRORS: Readonly<Record<ErrorCode, MlflowError>> = {
  invalid: { status: 400, code: 'INVALID_PARAMETER_VALUE' },
  unauthenticated: { status: 401, code: 'UNAUTHENTICATED' },
  forbidden: { status: 403, code: 'PERMISSION_DENIED' },
  not_found: { status: 404, code: 'RESOURCE_DOES_NOT_EXIST' },
  conflict: { status: 400, code: 'RESOURCE_ALREADY_EXISTS' },
  precondition_failed: { status: 400, code: 'INVALID_PARAMETER_VALUE' },
  too_large: { status: 413, code: 'REQUEST_LIMIT_EXCEEDED' },
  unavailable: { status: 503, code: 'TEMPORARILY_UNAVAILABLE' },
};

/** `details.mlflow` may name another code of MLflow's. What is no `AppError` is a bug and goes on to the host. */
export function toErrorAnswer(error: unknown): RawResponse {
  if (!(error instanceof AppError)) throw error;
  const { status, code } = ERRORS[error.code];
  return {
    raw: true,
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error_code: error.details?.['mlflow'] ?? code, message: error.message }),
  };
}
