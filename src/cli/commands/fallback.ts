import type { Endpoint, FallbackSetting } from '../../serving/types.ts';
import { addExamples, type CommandModule, type Options, usage } from '../command.ts';
import { parseModelRef } from '../model-ref.ts';
import { endpointPath } from '../rollout-view.ts';

export const command: CommandModule = {
  name: 'fallback',
  group: 'Live',
  summary: 'Answer with the fallback until switched off',
  configure(cmd) {
    cmd
      .argument('<endpoint>', 'an endpoint or a model')
      .option('--off', 'answer with the model again')
      .option('--base-rate', "answer with the base rate of the champion's training data")
      .option('--version <n>', 'answer with another version, such as v6')
      .option('--value <constant>', 'answer with a constant');
    addExamples(cmd, [
      ['levain fallback churn', 'what levain.yaml says, else the base rate'],
      ['levain fallback churn --version v6', 'an older version answers'],
      ['levain fallback churn --off', 'back to normal'],
    ]);
  },
  async run({ client, ask }, [name], options) {
    const path = endpointPath(parseModelRef(name).model);
    const active = options['off'] !== true;
    const setting = settingOf(options);
    const endpoint = await client.get<Endpoint>(path);
    const question = active
      ? `Every request to "${endpoint.name}" is answered by the fallback (${wordsOf(setting)}) until it is switched off. Switch on?`
      : `"${endpoint.name}" answers with v${endpoint.champion} again. Switch the fallback off?`;
    if (!(await ask(question))) return { schema: 'endpoint/1', data: endpoint, text: 'Nothing changed.' };
    const changed = await client.put<Endpoint>(`${path}/fallback`, { active, ...(setting ? { setting } : {}) });
    return {
      schema: 'endpoint/1',
      data: changed,
      text: active
        ? `${changed.name} answers with the fallback.`
        : `${changed.name} answers with v${changed.champion}.`,
      next: active ? [`levain fallback ${changed.name} --off`] : ['levain status'],
    };
  },
};

function settingOf(options: Options): FallbackSetting | undefined {
  const { version, value } = options as { version?: string; value?: string };
  if (version !== undefined) {
    const number = /^v?(\d+)$/.exec(version);
    if (!number) throw usage(`"${version}" is not a version; write for example v6`);
    return { kind: 'version', version: Number(number[1]) };
  }
  if (value !== undefined) return { kind: 'constant', value: Number.isNaN(Number(value)) ? value : Number(value) };
  return options['baseRate'] === true ? { kind: 'base_rate' } : undefined;
}

function wordsOf(setting: FallbackSetting | undefined): string {
  if (!setting) return 'as levain.yaml says, else the base rate';
  if (setting.kind === 'version') return `v${setting.version}`;
  return setting.kind === 'constant' ? String(setting.value) : 'the base rate';
}
