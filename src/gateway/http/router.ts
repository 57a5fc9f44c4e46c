import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LiveEndpoint } from '../serve/live-endpoint.ts';
import type { GatheredRequest } from './body.ts';
import { type DataPlane, isCsv, MLFLOW, mediaTypeOf, OIP } from './data-plane.ts';
import { createGuard } from './guard.ts';
import { sendJson, sendText } from './respond.ts';

/** MLflow's version that `/version` names, as its scoring server does. */
const EMULATED_MLFLOW = '3.17.2';

export interface RouterDeps {
  readonly dataPlane: DataPlane;
  readonly endpoints: ReadonlyMap<string, LiveEndpoint>;
  readonly version: string;
  /** The address that it listens on. */
  readonly host: string;
  /** False while nothing is loaded or the gateway is stopping. */
  readonly isReady: () => boolean;
  readonly metrics: () => string;
}

type Handler = (request: GatheredRequest, response: ServerResponse) => void;

const MODEL_PATH = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/ready|\/infer)?$/;
const INVOCATIONS_PATH = /^\/endpoints\/([^/]+)\/invocations$/;

/** The gateway's own router: a map for the paths that are asked again and again, patterns for the rest. */
export function createRouter(deps: RouterDeps): Handler {
  const fixed = fixedRoutes(deps);
  const seen = new Map<string, Handler>();
  const refusalOf = createGuard(deps.host);
  let last: { readonly url: string; readonly handler: Handler } | undefined;
  return (request, response) => {
    const refusal = refusalOf(request);
    if (refusal !== undefined) {
      sendJson(response, 403, OIP.error(403, refusal));
      return;
    }
    const url = request.url ?? '/';
    // Most requests are for what the one before was for: no key is made and hashed for them.
    if (last?.url === url && request.method === 'POST') {
      last.handler(request, response);
      return;
    }
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const key = `${request.method} ${path}`;
    const predictRoute = seen.get(key) ?? findPredictRoute(deps, seen, key, path);
    if (predictRoute) last = { url, handler: predictRoute };
    const handler = predictRoute ?? fixed.get(key);
    if (handler) handler(request, response);
    else answerRest(deps, path, request, response);
  };
}

const MAX_SEEN = 1_000;

/** Routes to endpoints that exist are remembered; an endpoint that has gone is looked up again and not found. */
function findPredictRoute(
  deps: RouterDeps,
  seen: Map<string, Handler>,
  key: string,
  path: string,
): Handler | undefined {
  if (!key.startsWith('POST ')) return undefined;
  const infer = MODEL_PATH.exec(path);
  const name = decode((infer?.[3] === '/infer' ? infer[1] : undefined) ?? INVOCATIONS_PATH.exec(path)?.[1]);
  if (name === undefined || !deps.endpoints.has(name)) return undefined;
  const protocol = infer ? OIP : MLFLOW;
  const forced = decode(infer?.[2]) ?? null;
  const handler: Handler = (request, response) => {
    const endpoint = deps.endpoints.get(name);
    if (!endpoint) sendJson(response, 404, protocol.error(404, notFound(deps, name)));
    else if (protocol === MLFLOW && !isMlflowType(request)) refuseType(request, response);
    else deps.dataPlane.handle(protocol, endpoint, forced, request, response);
  };
  if (seen.size >= MAX_SEEN) seen.clear();
  seen.set(key, handler);
  return handler;
}

/** MLflow takes JSON in UTF-8 and CSV, and says 415 to the rest. */
function isMlflowType(request: IncomingMessage): boolean {
  if (isCsv(request)) return true;
  if (mediaTypeOf(request) !== 'application/json') return false;
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(request.headers['content-type'] ?? '')?.[1];
  return charset === undefined || charset.toLowerCase() === 'utf-8';
}

function refuseType(request: IncomingMessage, response: ServerResponse): void {
  const type = request.headers['content-type'] ?? 'none';
  sendText(
    response,
    415,
    `This predictor only supports the following content types: application/json (charset utf-8), text/csv. Got '${type.slice(0, 100)}'.`,
  );
}

function fixedRoutes(deps: RouterDeps): ReadonlyMap<string, Handler> {
  const json =
    (status: () => number, body: () => unknown): Handler =>
    (_, response) =>
      sendJson(response, status(), JSON.stringify(body()));
  const ok = (): number => 200;
  const readyStatus = (): number => (deps.isReady() ? 200 : 503);
  const empty: Handler = (_, response) => sendText(response, 200, '\n');
  return new Map<string, Handler>([
    ['GET /v2', json(ok, () => ({ name: 'levain', version: deps.version, extensions: [] }))],
    ['GET /v2/health/live', json(ok, () => ({ live: true }))],
    ['GET /v2/health/ready', json(readyStatus, () => ({ ready: deps.isReady() }))],
    ['GET /ping', empty],
    ['GET /health', empty],
    ['GET /version', (_, response) => sendText(response, 200, EMULATED_MLFLOW)],
    [
      'GET /metrics',
      (_, response) => sendText(response, 200, deps.metrics(), 'text/plain; version=0.0.4; charset=utf-8'),
    ],
  ]);
}

function answerRest(deps: RouterDeps, path: string, request: IncomingMessage, response: ServerResponse): void {
  const model = MODEL_PATH.exec(path);
  const invocations = INVOCATIONS_PATH.exec(path);
  const name = decode(model?.[1] ?? invocations?.[1]);
  const protocol = invocations ? MLFLOW : OIP;
  if (name === undefined) {
    sendJson(
      response,
      404,
      OIP.error(404, `There is nothing at ${path.slice(0, 200)}; predictions are at /v2/models/ENDPOINT/infer`),
    );
    return;
  }
  const endpoint = deps.endpoints.get(name);
  if (!endpoint) sendJson(response, 404, protocol.error(404, notFound(deps, name)));
  else if (request.method !== 'GET' || invocations || model?.[3] === '/infer')
    sendJson(response, 405, protocol.error(405, `${request.method} is not for ${path.slice(0, 200)}`));
  else if (model?.[3] === '/ready') answerReady(endpoint, decode(model[2]), response);
  else answerMetadata(endpoint, decode(model?.[2]), response);
}

function notFound({ endpoints }: RouterDeps, name: string): string {
  const names = [...endpoints.keys()].slice(0, 20).join(', ') || 'none';
  return `There is no endpoint "${name.slice(0, 100)}"; there are: ${names}`;
}

function answerReady(endpoint: LiveEndpoint, version: string | undefined, response: ServerResponse): void {
  const isReady = versionOf(endpoint, version) !== undefined;
  sendJson(response, isReady ? 200 : 503, JSON.stringify({ name: endpoint.name, ready: isReady }));
}

const DATATYPES: Readonly<Record<string, string>> = {
  double: 'FP64',
  float: 'FP32',
  long: 'INT64',
  integer: 'INT32',
  boolean: 'BOOL',
};

function answerMetadata(endpoint: LiveEndpoint, version: string | undefined, response: ServerResponse): void {
  const live = versionOf(endpoint, version);
  if (!live) {
    sendJson(
      response,
      version === undefined ? 503 : 404,
      OIP.error(404, `Endpoint "${endpoint.name}" has no such version ready`),
    );
    return;
  }
  const { spec, pieces } = live;
  const classes = spec.task === 'regression' ? undefined : spec.classes?.length;
  const inputs = spec.signature.inputs.map(({ name, type }) => ({
    name,
    datatype: DATATYPES[type] ?? 'BYTES',
    shape: [-1],
  }));
  const outputs = [{ name: 'predict', datatype: pieces.labelType, shape: [-1] }];
  if (classes) outputs.push({ name: 'predict_proba', datatype: 'FP64' as never, shape: [-1, classes] });
  const versions = [...endpoint.traffic!.versions.values()].map((loaded) => String(loaded.spec.version));
  const platform = spec.engine.kind === 'python' ? 'levain_python' : 'levain_engine';
  const parameters = spec.classes && {
    classes: JSON.stringify(spec.classes),
    ...(spec.words && { words: JSON.stringify(spec.words) }),
  };
  const metadata = { name: endpoint.name, versions, platform, inputs, outputs, ...(parameters && { parameters }) };
  sendJson(response, 200, JSON.stringify(metadata));
}

function versionOf(endpoint: LiveEndpoint, version: string | undefined) {
  const { traffic } = endpoint;
  if (version === undefined) return traffic?.champion;
  for (const live of traffic?.versions.values() ?? []) if (String(live.spec.version) === version) return live;
  return undefined;
}

function decode(part: string | undefined): string | undefined {
  if (part === undefined) return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
