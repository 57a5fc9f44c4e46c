import type { Endpoint, Rollout, RolloutTransition } from '../serving/types.ts';
import { type CommandContext, EXIT, type ExitCode } from './command.ts';

const POLL_MS = 500;
const RESTING: readonly string[] = ['done', 'aborted', 'paused'];

export interface RolloutHistory {
  readonly rollout: Rollout;
  readonly transitions: readonly RolloutTransition[];
}

export const endpointPath = (name: string): string => `/endpoints/${encodeURIComponent(name)}`;

/** Follows a rollout until it is done, aborted or paused, or until Ctrl-C, which leaves it running. */
export async function followRollout(context: CommandContext, rollout: Rollout): Promise<Rollout> {
  let latest = rollout;
  while (!RESTING.includes(latest.state) && !context.signal.aborted) {
    context.out.progress(lineOf(latest));
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const query = { id: rollout.id };
    latest = (await context.client.get<RolloutHistory>(`${endpointPath(rollout.endpoint)}/rollout`, { query })).rollout;
  }
  return latest;
}

export const lineOf = (rollout: Rollout): string =>
  `${rollout.model}@v${rollout.version} ${rollout.state}: ${rollout.sentence}`;

export const exitOf = (rollout: Rollout): ExitCode =>
  rollout.state === 'aborted' ? EXIT.rolledBack : rollout.state === 'paused' ? EXIT.waiting : EXIT.ok;

export function nextOf(rollout: Rollout): string[] {
  const { model } = rollout;
  if (rollout.state === 'aborted') return [`levain why ${rollout.id}`, `levain resume ${model}`];
  if (rollout.state === 'paused')
    return [
      `levain rollout ${model} --continue`,
      `levain rollout ${model} --wait-more`,
      `levain rollout ${model} --abort`,
    ];
  return rollout.state === 'done' ? [`levain predict ${rollout.endpoint}`] : [`levain rollout ${model}`];
}

/** Numbers of the evidence, a line each. */
export function evidenceLines({ evidence }: Rollout): string[] {
  if (!evidence) return [];
  const { replay, shadow, canary, harm } = evidence;
  const lines: string[] = [];
  if (replay && replay.rows > 0) lines.push(`replay    ${pairsOf(replay)}`);
  if (shadow.rows > 0) lines.push(`shadow    ${pairsOf(shadow)}`);
  if (canary.challenger.units > 0)
    lines.push(
      `canary    ${canary.challenger.units} new, ${canary.champion.units} beside it; failed ${canary.challenger.failedUnits} and ${canary.champion.failedUnits}; e = ${canary.eValue.toPrecision(2)} (rolls back at 50)`,
    );
  lines.push(
    `harm      failures at most ${percent(harm.above)} above the champion's over ${harm.units} units; a step ends below ${percent(harm.tolerance)}`,
  );
  if (evidence.baking.units > 0)
    lines.push(`all       ${evidence.baking.units} units since the promotion, ${evidence.baking.failedUnits} failed`);
  return lines;
}

type Pairs = NonNullable<NonNullable<Rollout['evidence']>['replay']>;

const pairsOf = (pairs: Pairs): string =>
  `${pairs.rows} rows of ${pairs.units} units; ${percent(pairs.flips.share)} other labels; scores ${pairs.difference.mean.toFixed(3)} on average; failed ${pairs.failedUnits.challenger} (champion ${pairs.failedUnits.champion})`;

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.01 ? 2 : 1)} %`;

/** Where predictions of an endpoint are answered; the model's own URL path under it. */
export const inferUrl = (endpoint: Endpoint): string | undefined =>
  endpoint.urls[0] && `${endpoint.urls[0].replace(/\/$/, '')}/v2/models/${encodeURIComponent(endpoint.name)}/infer`;
