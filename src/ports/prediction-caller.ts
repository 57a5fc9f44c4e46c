/**
 * Asks a living endpoint, as its callers do: over HTTP, through the gateway, logged and monitored.
 *
 * - `body` is the Open Inference Protocol's request.
 * - `caller` names who asks, in the log.
 * - `rehearsal` marks the request: it is kept apart from real windows, and goes to the arms of that rehearsal only.
 * - Throws `unavailable` where no gateway answers; what the gateway answers, errors too, is data.
 */
export interface PredictionCaller {
  call(
    endpoint: string,
    body: unknown,
    options?: { readonly caller?: string; readonly rehearsal?: string; readonly signal?: AbortSignal },
  ): Promise<{ readonly status: number; readonly body: unknown }>;
}
