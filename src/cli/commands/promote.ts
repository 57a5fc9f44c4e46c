import type { Rollout } from '../../serving/types.ts';
import { addExamples, type CommandModule } from '../command.ts';
import { parseModelRef } from '../model-ref.ts';
import { endpointPath, followRollout, lineOf, nextOf, type RolloutHistory } from '../rollout-view.ts';

export const command: CommandModule = {
  name: 'promote',
  group: 'Ship',
  summary: 'Finish a rollout now: all traffic to the new version',
  configure(cmd) {
    cmd.argument('<model>', 'a model or an endpoint with a rollout under way');
    addExamples(cmd, [['levain promote churn', 'skip what is left of the rollout']]);
  },
  async run(context, [name]) {
    const path = `${endpointPath(parseModelRef(name).model)}/rollout`;
    const { rollout } = await context.client.get<RolloutHistory>(path);
    const question = `${rollout.model}@v${rollout.version} takes all traffic of "${rollout.endpoint}" now (${rollout.state}: ${rollout.sentence}). v${rollout.fromVersion} stays warm. Promote?`;
    if (!(await context.ask(question))) return { schema: 'rollout/1', data: rollout, text: 'Nothing was promoted.' };
    const promoted = await context.client.post<Rollout>(path, { action: 'promote' });
    const latest = context.isTerminal ? await followPromotion(context, promoted) : promoted;
    return { schema: 'rollout/1', data: latest, text: lineOf(latest), next: nextOf(latest) };
  },
};

/** In force is soon; the bake after it is not waited for. */
const followPromotion = async (context: Parameters<typeof followRollout>[0], rollout: Rollout): Promise<Rollout> =>
  rollout.state === 'promoting' && rollout.plan.bakeMs === 0 ? followRollout(context, rollout) : rollout;
