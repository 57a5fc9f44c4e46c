import { AppError } from '../../kernel/errors.ts';
import type { PredictionCaller } from '../../ports/prediction-caller.ts';

export interface GatewayHttpOptions {
  /** Asked before each call: a gateway may come back elsewhere. */
  readonly url: () => string | undefined;
  /** The gateway's token, which proves that a rehearsal is ours. */
  readonly token: () => Promise<string>;
}

const LIMIT_MS = 30_000;

/** Predictions through the gateway's HTTP interface. */
export function createPredictionCaller({ url, token }: GatewayHttpOptions): PredictionCaller {
  return {
    async call(endpoint, body, options = {}) {
      const base = url();
      if (base === undefined) throw new AppError('unavailable', 'No gateway is known here; start one with "levain up"');
      const headers: Record<string, string> = { 'content-type': 'application/json' };
      if (options.caller !== undefined) headers['levain-caller'] = toHeader(options.caller);
      if (options.rehearsal !== undefined) {
        headers['levain-rehearsal'] = options.rehearsal;
        headers['levain-rehearsal-token'] = await token();
      }
      const limit = AbortSignal.timeout(LIMIT_MS);
      const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
      const target = `${base}/v2/models/${encodeURIComponent(endpoint)}/infer`;
      try {
        const response = await fetch(target, { method: 'POST', headers, body: JSON.stringify(body), signal });
        return { status: response.status, body: toJson(await response.text()) };
      } catch (error) {
        throw new AppError('unavailable', `The gateway at ${base} does not answer`, { endpoint }, error);
      }
    },
  };
}

/** Headers carry ASCII only. */
const toHeader = (text: string): string => (/^[ -~]*$/.test(text) ? text : encodeURIComponent(text));

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
