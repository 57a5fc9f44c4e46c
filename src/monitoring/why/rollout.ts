import { isAppError } from '../../kernel/errors.ts';
import { getRollout, listEndpoints } from '../../serving/index.ts';
import type { Actor } from '../../wire/route.ts';
import { getRehearsal } from '../rehearsals/rehearsals.ts';
import type { Finder } from './types.ts';

export const ofRollout: Finder = async (deps, actor, id) => {
  for (const { name } of await listEndpoints(deps.serving, actor)) {
    const found = await getRollout(deps.serving, actor as Actor, { name, id }).catch((error) => {
      if (isAppError(error)) return undefined;
      throw error;
    });
    if (!found || found.rollout.id !== id) continue;
    const { rollout, transitions } = found;
    const what = `${rollout.model}@v${rollout.version}`;
    const told = (rollout.reason ?? rollout.sentence).replace(/\.$/, '');
    const because =
      rollout.state === 'aborted'
        ? `${what} was rolled back because ${told}`
        : `The rollout of ${what} is ${rollout.state}: ${told}`;
    return {
      kind: 'rollout',
      id,
      answer: `${because}.`,
      details: transitions.map((each) => `  ${each.at.slice(0, 19).replace('T', ' ')} ${each.to}: ${each.sentence}`),
      next: [`levain rollout ${rollout.model}`, `levain why ${what}`],
      links: { endpoint: `/endpoints/${encodeURIComponent(name)}` },
      data: found,
    };
  }
  return undefined;
};

export const ofRehearsal: Finder = async (deps, actor, id) => {
  const rehearsal = await getRehearsal(deps, actor, id);
  const { report } = rehearsal;
  const told = report.sentence.replace(/\.$/, '');
  return {
    kind: 'rehearsal',
    id,
    answer: `The rehearsal ${rehearsal.kind} of ${rehearsal.model} is ${rehearsal.state}: ${told}.`,
    details: [...report.acted.map((line) => `  ${line}`), ...(report.cost ? [`  cost: ${report.cost}`] : [])],
    next: rehearsal.incident === null ? [] : [`levain why ${rehearsal.incident}`],
    links: { rehearsal: `/rehearsals/${rehearsal.id}` },
    data: rehearsal,
  };
};
