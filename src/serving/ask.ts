import type { Actor } from '../wire/route.ts';
import { getEndpoint } from './endpoints.ts';
import type { ServingDeps } from './types.ts';

/** What the gateway answered, errors too, just as a caller of its own gets it. */
export interface Asked {
  readonly endpoint: string;
  readonly status: number;
  readonly body: unknown;
  /** Of the whole request, measured here. */
  readonly tookMs: number;
}

/**
 * Asks an endpoint for those who cannot reach a gateway: it listens elsewhere, and pages of other origins are not answered there.
 * It is a request like any other: logged, counted, and routed as the rollout says. `request` is the Open Inference Protocol's.
 * Throws `not_found` for an endpoint that this project does not have, `unavailable` where no gateway answers.
 */
export async function askEndpoint(
  deps: ServingDeps,
  actor: Actor,
  input: { readonly endpoint: string; readonly request: unknown; readonly signal?: AbortSignal },
): Promise<Asked> {
  const { name } = await getEndpoint(deps, actor, input.endpoint);
  const startedAt = deps.clock.now();
  const answer = await deps.caller.call(name, input.request, {
    caller: actor.user,
    ...(input.signal && { signal: input.signal }),
  });
  return { endpoint: name, ...answer, tookMs: deps.clock.now() - startedAt };
}
