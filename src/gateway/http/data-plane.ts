import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, isAppError, messageOf } from '../../kernel/errors.ts';
import type { Clock, Log } from '../../ports/system.ts';
import { REHEARSAL_HEADER, REHEARSAL_TOKEN_HEADER, VERSION_HEADER } from '../../serving/wire.ts';
import { LIMITS } from '../limits.ts';
import { inferAnswer, invocationsAnswer, isPlain } from '../protocols/answers.ts';
import type { Call } from '../protocols/call.ts';
import { parseCsvInvocations, parseInvocations } from '../protocols/mlflow.ts';
import { parseInferBody } from '../protocols/oip.ts';
import type { LiveEndpoint } from '../serve/live-endpoint.ts';
import { type Facts, type Outcome, type PredictDeps, predict } from '../serve/predict.ts';
import { rowsInWords } from '../serve/refusals.ts';
import type { GatheredRequest } from './body.ts';
import { parseJson } from './json.ts';
import { sendJson, statusOf } from './respond.ts';

export interface DataPlaneDeps extends PredictDeps {
  readonly clock: Clock;
  readonly logger: Log;
  readonly gatewayToken: () => string | undefined;
}

/** How one protocol reads calls and says answers and errors. */
interface Protocol {
  parse(request: IncomingMessage, body: Buffer, endpoint: LiveEndpoint): Call;
  answer(outcome: Outcome & { ok: true }): string;
  error(status: number, message: string): string;
  /** Whether an answer may hold rows without one, named beside them. */
  readonly mayBePartial: boolean;
}

export const OIP: Protocol = {
  parse: (_, body, endpoint) => parseInferBody(body, endpoint.traffic?.champion.scanRow),
  answer: inferAnswer,
  error: (_, message) => JSON.stringify({ error: message }),
  mayBePartial: true,
};

const MLFLOW_CODES: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  403: 'PERMISSION_DENIED',
  404: 'RESOURCE_DOES_NOT_EXIST',
  405: 'BAD_REQUEST',
  413: 'BAD_REQUEST',
  415: 'BAD_REQUEST',
  429: 'REQUEST_LIMIT_EXCEEDED',
  500: 'INTERNAL_ERROR',
  503: 'TEMPORARILY_UNAVAILABLE',
};

export const MLFLOW: Protocol = {
  parse: (request, body) =>
    isCsv(request) ? parseCsvInvocations(body.toString('utf8')) : parseInvocations(parseJson(body)),
  answer: invocationsAnswer,
  error: (status, message) => JSON.stringify({ error_code: MLFLOW_CODES[status] ?? 'INTERNAL_ERROR', message }),
  // A list of predictions has no place for a reason, and null is no prediction.
  mayBePartial: false,
};

export const isCsv = (request: IncomingMessage): boolean => mediaTypeOf(request) === 'text/csv';

export const mediaTypeOf = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();

/** Answers predictions: reads the body, asks the endpoint, and keeps what is under way within bounds. */
export class DataPlane {
  readonly #deps: DataPlaneDeps;
  #inFlight = 0;
  #isDraining = false;

  constructor(deps: DataPlaneDeps) {
    this.#deps = deps;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Nothing new is taken in. */
  drain(): void {
    this.#isDraining = true;
  }

  handle(
    protocol: Protocol,
    endpoint: LiveEndpoint,
    forced: string | null,
    request: GatheredRequest,
    response: ServerResponse,
  ): void {
    const startedAt = performance.now();
    if (this.#isDraining || this.#inFlight >= LIMITS.inFlight) {
      endpoint.stats.overloaded += 1;
      const message = this.#isDraining
        ? 'The gateway is stopping'
        : `${LIMITS.inFlight} requests are under way; try again shortly`;
      sendJson(response, this.#isDraining ? 503 : 429, protocol.error(429, message));
      return;
    }
    this.#inFlight += 1;
    request.readBody((error, body) => {
      if (error) {
        this.#inFlight -= 1;
        response.shouldKeepAlive = false;
        if (error.code === 'too_large') this.#sendError(protocol, response, error);
        return;
      }
      this.#answer(protocol, endpoint, forced, startedAt, request, body, response);
    });
  }

  #answer(
    protocol: Protocol,
    endpoint: LiveEndpoint,
    forced: string | null,
    startedAt: number,
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): void {
    try {
      const facts = this.#factsOf(request, startedAt, forced);
      const outcome = predict(this.#deps, endpoint, protocol.parse(request, body, endpoint), facts);
      if (outcome instanceof Promise) this.#sendLater(protocol, outcome, response);
      else {
        this.#inFlight -= 1;
        this.#send(protocol, outcome, response);
      }
    } catch (error) {
      this.#inFlight -= 1;
      this.#sendError(protocol, response, error);
    }
  }

  #sendLater(protocol: Protocol, outcome: Promise<Outcome>, response: ServerResponse): void {
    outcome
      .finally(() => {
        this.#inFlight -= 1;
      })
      .then((done) => this.#send(protocol, done, response))
      .catch((error: unknown) => this.#sendError(protocol, response, error));
  }

  #send(protocol: Protocol, outcome: Outcome, response: ServerResponse): void {
    const failed = outcome.ok && !protocol.mayBePartial ? outcome.outputs.errors : undefined;
    if (outcome.ok && failed && failed.length > 0) {
      const status = failed.every(({ refused }) => refused) ? 400 : 500;
      sendJson(response, status, protocol.error(status, rowsInWords(outcome.outputs)), outcome.ids);
    } else if (outcome.ok) sendJson(response, 200, protocol.answer(outcome), outcome.ids, isPlain(outcome));
    else {
      const status = outcome.isUnavailable ? 503 : outcome.isCallers ? 400 : 500;
      sendJson(response, status, protocol.error(status, outcome.message), outcome.ids);
    }
  }

  #sendError(protocol: Protocol, response: ServerResponse, error: unknown): void {
    const status = isAppError(error) ? statusOf(error.code) : 500;
    if (!isAppError(error))
      this.#deps.logger.error('A prediction failed for a reason of ours', {
        error: messageOf(error),
        stack: error instanceof Error ? error.stack : undefined,
      });
    sendJson(
      response,
      status,
      protocol.error(status, isAppError(error) ? error.message : 'The gateway failed; its log says why'),
    );
  }

  /** Forced versions and rehearsals are the control plane's: they need the gateway token. */
  #factsOf(request: IncomingMessage, startedAt: number, pathVersion: string | null): Facts {
    const receivedAt = this.#deps.clock.now();
    if (!hasOurHeaders(request.rawHeaders))
      return { startedAt, receivedAt, rehearsal: null, forced: pathVersion, caller: null };
    const { headers } = request;
    const rehearsal = textOf(headers[REHEARSAL_HEADER]);
    const version = textOf(headers[VERSION_HEADER]);
    if (rehearsal !== null || version !== null)
      this.#assertToken(
        textOf(headers[REHEARSAL_TOKEN_HEADER]),
        rehearsal === null ? VERSION_HEADER : REHEARSAL_HEADER,
      );
    return {
      startedAt,
      receivedAt,
      rehearsal,
      forced: version ?? pathVersion,
      caller: textOf(headers['levain-caller']),
    };
  }

  #assertToken(sent: string | null, header: string): void {
    const token = this.#deps.gatewayToken();
    const isRight =
      token !== undefined &&
      sent !== null &&
      sent.length === token.length &&
      timingSafeEqual(Buffer.from(sent), Buffer.from(token));
    if (!isRight)
      throw new AppError('forbidden', `The header ${header} needs the gateway token in ${REHEARSAL_TOKEN_HEADER}`);
  }
}

/** Looks for a `levain-` header without making Node build its object of all headers. */
function hasOurHeaders(raw: readonly string[]): boolean {
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    if ((name.charCodeAt(0) | 0x20) === 0x6c && name.slice(0, 7).toLowerCase() === 'levain-') return true;
  }
  return false;
}

function textOf(header: string | string[] | undefined): string | null {
  const text = Array.isArray(header) ? header[0] : header;
  return text === undefined || text === '' ? null : text.slice(0, LIMITS.idCharacters);
}
