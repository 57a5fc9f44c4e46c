import { parseDurationMs } from '../../kernel/units.ts';
import type { Deployment } from '../../serving/types.ts';
import { addExamples, type CommandContext, type CommandModule, type CommandResult, EXIT, usage } from '../command.ts';
import { parseModelRef } from '../model-ref.ts';
import { evidenceLines, exitOf, followRollout, lineOf, nextOf } from '../rollout-view.ts';

export const command: CommandModule = {
  name: 'deploy',
  group: 'Ship',
  summary: 'Put a version behind an endpoint',
  configure(cmd) {
    cmd
      .argument('<version>', 'churn (its newest approved version), churn@v7')
      .option('--endpoint <name>', 'default: the endpoint in levain.yaml, else the name of the model')
      .option('--rollout <strategy>', 'auto, direct, blue_green or canary:5,25,50; default: what levain.yaml says')
      .option('--at-most <duration>', 'with auto: pause after so long without enough evidence, such as 24h')
      .option('--resume', 'lift a hold of the model')
      .option('--dry-run', 'say what would happen')
      .option('--wait', 'follow it to its end (the default on a terminal)')
      .option('--no-wait', 'start it and come back');
    addExamples(cmd, [
      ['levain deploy churn', 'roll out the newest approved version as levain.yaml says'],
      ['levain deploy churn@v7 --rollout direct --yes', 'all traffic at once'],
      ['levain deploy churn --rollout canary:1,10,50 --dry-run', 'see the plan'],
    ]);
  },
  async run(context, [name], options) {
    const { model, version } = parseModelRef(name);
    const body = {
      model,
      ...(version === undefined ? {} : { version: /^\d+$/.test(version) ? Number(version) : version }),
      ...(typeof options['endpoint'] === 'string' ? { endpoint: options['endpoint'] } : {}),
      ...rolloutOf(options['rollout'], options['atMost']),
    };
    const planned = await context.client.post<Deployment>('/deployments', { ...body, dryRun: true });
    const plan = `${planned.model}@v${planned.version} ${planned.sentence}`;
    if (options['dryRun'] === true) return { schema: 'deployment/1', data: planned, text: plan };
    const held = planned.held ? ` ${model} is HELD (${planned.held}); this lifts the hold.` : '';
    if (planned.held && options['resume'] !== true && !context.isTerminal)
      throw usage(`${model} is HELD (${planned.held})`, `levain resume ${model}`);
    if (!(await context.ask(`${plan}.${held} Deploy?`)))
      return { schema: 'deployment/1', data: planned, text: 'Nothing was deployed.' };
    const request = { ...body, resume: options['resume'] === true || planned.held !== null };
    const deployment = await context.client.post<Deployment>('/deployments', request);
    const isWaiting = options['wait'] === undefined ? context.isTerminal : options['wait'] === true;
    return finish(context, deployment, isWaiting);
  },
};

async function finish(context: CommandContext, deployment: Deployment, isWaiting: boolean): Promise<CommandResult> {
  const started = deployment.rollout;
  if (!started) return { schema: 'deployment/1', data: deployment };
  const rollout = isWaiting ? await followRollout(context, started) : started;
  return {
    schema: 'deployment/1',
    data: { ...deployment, rollout },
    text: [lineOf(rollout), ...evidenceLines(rollout)].join('\n'),
    next: nextOf(rollout),
    exitCode: isWaiting ? exitOf(rollout) : EXIT.ok,
  };
}

function rolloutOf(strategy: unknown, atMost: unknown): { rollout?: object } {
  if (strategy === undefined && atMost === undefined) return {};
  const text = strategy === undefined ? 'auto' : String(strategy);
  if (text === 'auto')
    return {
      rollout: { kind: 'auto', ...(atMost === undefined ? {} : { atMostMs: parseDurationMs(String(atMost)) }) },
    };
  if (text === 'direct' || text === 'blue_green') return { rollout: { kind: text } };
  const steps = /^canary:([\d.,%\s]+)$/
    .exec(text)?.[1]
    ?.split(',')
    .map((part) => Number.parseFloat(part) / 100);
  if (steps?.every((share) => share > 0 && share < 1)) return { rollout: { kind: 'canary', steps } };
  throw usage(`"${text}" is not a rollout; write auto, direct, blue_green or canary:5,25,50`);
}
