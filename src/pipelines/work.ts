import { messageOf } from '../kernel/errors.ts';
import { handleData } from './data-phase.ts';
import type { PipelinesDeps } from './deps.ts';
import { type EngineOptions, startEngine } from './engine.ts';
import type { Handlers } from './engine-types.ts';
import { handleGate, handleRegister } from './model-phase.ts';
import { handleStep } from './step-handler.ts';
import { fireDueCron } from './triggers.ts';

const CRON_POLL_MS = 1_000;

/** Runs what is open and fires schedules, until stopped. Steps outlive it. */
export function startPipelinesWork(deps: PipelinesDeps, options: EngineOptions = {}): { stop(): Promise<void> } {
  const engine = startEngine(deps, handlersOf(deps), options);
  const stopping = new AbortController();
  const cron = (async () => {
    while (!stopping.signal.aborted) {
      await fireDueCron(deps).catch((error: unknown) =>
        deps.log.error('pipelines: schedules stumbled', { error: messageOf(error) }),
      );
      await deps.clock.sleep(CRON_POLL_MS, stopping.signal);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await Promise.all([engine.stop(), cron]);
    },
  };
}

const handlersOf = (deps: PipelinesDeps): Handlers => ({
  data: (held) => handleData(deps, held),
  run: (held) => handleStep(deps, held),
  notebook: (held) => handleStep(deps, held),
  register: (held) => handleRegister(deps, held),
  gate: (held) => handleGate(deps, held),
});
