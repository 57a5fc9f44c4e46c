import type { Rollout } from '../../serving/types.ts';
import {
  addExamples,
  type CommandModule,
  type CommandResult,
  EXIT,
  type Options,
  type Output,
  usage,
} from '../command.ts';
import { parseModelRef } from '../model-ref.ts';
import {
  endpointPath,
  evidenceLines,
  exitOf,
  followRollout,
  lineOf,
  nextOf,
  type RolloutHistory,
} from '../rollout-view.ts';

export const command: CommandModule = {
  name: 'rollout',
  group: 'Ship',
  summary: 'Show a rollout and its evidence; continue, pause or abort it',
  configure(cmd) {
    cmd
      .argument('<model>', 'a model or an endpoint')
      .option('--continue', 'let a paused rollout go on to its next step')
      .option('--wait-more', 'let a paused rollout wait for more evidence in its step')
      .option('--pause', 'stop where it is; traffic stays as it is')
      .option('--abort', 'go back to where it started, and hold the model')
      .option('--reason <text>', 'why, kept with it')
      .option('--wait', 'follow it until it is done, paused or aborted')
      .option('--id <rollout>', 'an earlier one');
    addExamples(cmd, [
      ['levain rollout churn', 'where it is, and what speaks for and against it'],
      ['levain rollout churn --continue', 'go on although evidence is missing'],
      ['levain rollout churn --abort --reason "wrong labels"', 'roll back'],
    ]);
  },
  async run(context, [name], options) {
    const path = `${endpointPath(parseModelRef(name).model)}/rollout`;
    const action = actionOf(options);
    if (action) {
      const { rollout } = await context.client.get<RolloutHistory>(path);
      if (!(await context.ask(questionOf(action, rollout))))
        return { schema: 'rollout/1', data: rollout, text: 'Nothing changed.' };
      await context.client.post<Rollout>(path, { action, reason: options['reason'] });
    }
    const query = typeof options['id'] === 'string' ? { id: options['id'] } : {};
    let history = await context.client.get<RolloutHistory>(path, { query });
    if (options['wait'] === true) {
      await followRollout(context, history.rollout);
      history = await context.client.get<RolloutHistory>(path, { query: { id: history.rollout.id } });
    }
    return toResult(context.out, history, options['wait'] === true);
  },
};

function toResult(out: Output, history: RolloutHistory, isWaiting: boolean): CommandResult {
  const { rollout, transitions } = history;
  const rows = transitions.map(({ at, to, weight, sentence }) => [
    at.slice(0, 19).replace('T', ' '),
    to,
    `${Math.round(weight * 100)} %`,
    sentence,
  ]);
  const table = out.table(['time', 'state', 'share', 'what happened'], rows);
  return {
    schema: 'rollout/1',
    data: history,
    text: [lineOf(rollout), ...evidenceLines(rollout), '', table].join('\n'),
    next: nextOf(rollout),
    exitCode: isWaiting ? exitOf(rollout) : EXIT.ok,
  };
}

function actionOf(options: Options): 'continue' | 'wait' | 'pause' | 'abort' | undefined {
  const wanted = (['continue', 'pause', 'abort'] as const).filter((action) => options[action] === true);
  const all = options['waitMore'] === true ? [...wanted, 'wait' as const] : wanted;
  if (all.length > 1) throw usage(`Give one of --continue, --wait-more, --pause and --abort; got ${all.length}`);
  return all[0];
}

function questionOf(action: string, rollout: Rollout): string {
  const what = `${rollout.model}@v${rollout.version}`;
  if (action === 'abort')
    return `${what} gets no traffic any more, v${rollout.fromVersion} answers, and ${rollout.model} is HELD until resume. Abort?`;
  if (action === 'pause')
    return `${what} stays at ${Math.round(rollout.weight * 100)} % until somebody continues. Pause?`;
  if (action === 'wait') return `${what} waits for more evidence in its step. Go on?`;
  return `${what} goes on to its next step. Continue?`;
}
