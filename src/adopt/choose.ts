import type { BestRun } from './attempts.ts';
import { chosenOf } from './attempts.ts';
import type { Conversation } from './conversation.ts';
import type { Places } from './deps.ts';
import { isAside } from './environment/failures.ts';
import { EXIT, refusal } from './refusal.ts';
import type { Static } from './static.ts';
import type { AdoptResult, Candidate, CellOutcome, Question } from './types.ts';

export interface Choice {
  readonly candidate: Candidate;
  readonly index: number;
  readonly chosenBy: AdoptResult['model']['chosenBy'];
  readonly reason: string;
}

/** The model to serve: the one named, the one that the evidence supports, else the one that a person picks. */
export async function chooseModel(
  best: BestRun,
  found: Static,
  places: Places,
  conversation: Conversation,
): Promise<Choice> {
  const choice = await pick(best, found, places, conversation);
  refuseFailed(choice.candidate, best, found, places);
  if (choice.candidate.why_not !== null) {
    throw refusal('not_servable', `${nameOf(choice.candidate)} cannot be served: ${choice.candidate.why_not}`, {
      cell: choice.candidate.cell,
      hint: othersHint(best.candidates.candidates.filter((each) => each !== choice.candidate && each.why_not === null)),
    });
  }
  return choice;
}

async function pick(best: BestRun, found: Static, places: Places, conversation: Conversation): Promise<Choice> {
  const told = best.candidates;
  const { candidates, ambiguous } = told;
  const wanted = places.spec.model;
  if (wanted !== null) return named(candidates, wanted, places);
  if (candidates.length === 0) throw noModel(best, found, places);
  if (ambiguous && candidates.length > 1) return askFor(candidates, told.chosen ?? 0, conversation);
  const chosen = chosenOf(told);
  if (!chosen) throw noModel(best, found, places);
  const reason = told.reason ?? chosen.evidence[0] ?? `${nameOf(chosen)} is the only fitted model that is left`;
  return { candidate: chosen, index: told.chosen!, chosenBy: 'evidence', reason };
}

function named(candidates: readonly Candidate[], wanted: string, places: Places): Choice {
  const index = candidates.findIndex(({ variable, expression }) => variable === wanted || expression === wanted);
  const candidate = candidates[index];
  if (candidate) return { candidate, index, chosenBy: 'option', reason: `--model names ${wanted}` };
  const names = candidates.map(nameOf).join(', ');
  throw refusal('no_such_model', `${places.name} leaves no fitted model named ${wanted}`, {
    hint: names === '' ? 'It leaves no fitted model at all.' : `Fitted models there: ${names}.`,
    exit: EXIT.notFound,
  });
}

async function askFor(candidates: readonly Candidate[], first: number, conversation: Conversation): Promise<Choice> {
  const order = candidates.map((_, index) => index).filter((index) => candidates[index]!.why_not === null);
  order.sort((a, b) => Number(b === first) - Number(a === first));
  const question: Question = {
    kind: 'model',
    text: `${order.length} fitted models may be the one to serve.`,
    options: order.map((index) => toOption(candidates[index]!, index)),
  };
  if (order.length === 0) {
    return {
      candidate: candidates[first]!,
      index: first,
      chosenBy: 'evidence',
      reason: candidates[first]!.evidence[0] ?? '',
    };
  }
  const index = Number(await conversation.ask(question));
  const candidate = candidates[index]!;
  if (index === order[0]) {
    const equals = order.filter((at) => at !== index && candidates[at]!.confidence === candidate.confidence);
    const evidence = candidate.evidence[0] ?? 'it was evaluated last';
    const reason =
      equals.length === 0
        ? `${nameOf(candidate)} is the best supported of ${order.length}: ${evidence}`
        : `${nameOf(candidate)} was fitted last of those that are equally supported (${equals.map((at) => nameOf(candidates[at]!)).join(', ')} too): ${evidence}; --model names another`;
    return { candidate, index, chosenBy: 'evidence', reason };
  }
  return { candidate, index, chosenBy: 'person', reason: `${nameOf(candidate)} was chosen of ${order.length}` };
}

function toOption(candidate: Candidate, index: number): Question['options'][number] {
  const { score, type } = candidate;
  const scored = score
    ? `, ${score.name} ${Number(score.value.toPrecision(4))}${score.rows ? ` on ${score.rows} rows` : ''}`
    : '';
  return {
    value: String(index),
    label: `${nameOf(candidate)} (${type.split('.').at(-1)}${scored})`,
    hint: candidate.evidence[0] ?? null,
  };
}

/** A candidate as a person names it. */
export const nameOf = ({ variable, expression, type }: Candidate): string => variable ?? expression ?? type;

function refuseFailed(candidate: Candidate, { run, attempt }: BestRun, found: Static, places: Places): void {
  const [number] = candidate.dependsOnFailed;
  const cell = run.cells.find((each) => each.number === number);
  if (!cell?.error) return;
  const what = `${nameOf(candidate)} depends on cell ${cell.number} of ${places.name}`;
  throw failedCell(cell, what, found, {
    environment: attempt.built.recipe.label,
    unavailable: attempt.built.unavailable,
  });
}

interface FailureContext {
  readonly environment: string;
  readonly unavailable: readonly string[];
}

/** A failed cell as a refusal, with the smallest change that helps. */
function failedCell(cell: CellOutcome, what: string, found: Static, context: FailureContext, told?: string): Error {
  const { name, message, line } = cell.error!;
  const first = message.split('\n')[0]!.slice(0, 300);
  return refusal(
    removedIn(cell, found) ? 'removed_interface' : codeOf(name, message),
    told ?? `${what}, which fails: ${name}${first === '' ? '' : `: ${first}`}`,
    {
      cell: cell.number,
      line,
      hint: fixOf(cell, found, context),
    },
  );
}

/** What the cell uses that its package has removed, where its error is of that kind. */
const removedIn = ({ number, error }: CellOutcome, found: Static) =>
  error !== null && REMOVED_ERRORS.has(error.name) ? found.removed.find(({ cell }) => cell === number) : undefined;

const REMOVED_ERRORS = new Set([
  'ImportError',
  'ModuleNotFoundError',
  'AttributeError',
  'TypeError',
  'ValueError',
  'InvalidParameterError',
]);

function codeOf(name: string, message: string): string {
  if (name === 'StdinNotImplementedError') return 'needs_input';
  if (name === 'FileNotFoundError') return 'data_missing';
  if (name === 'ModuleNotFoundError') return 'module_missing';
  if (/network/i.test(message)) return 'needs_network';
  return 'cell_failed';
}

/** The smallest change, as far as the error tells it. */
function fixOf(cell: CellOutcome, found: Static, context: FailureContext): string {
  const { name, message } = cell.error!;
  const removed = removedIn(cell, found);
  if (removed)
    return `${removed.package} ${removed.below} removed this: ${removed.fix ?? 'use what stands in its place'}.`;
  if (name === 'StdinNotImplementedError') return 'Nobody can answer input(): write the value into the cell.';
  if (name === 'FileNotFoundError') {
    const path = /'([^']+)'/.exec(message)?.[1];
    return `Put ${path ? `${path.split(/[\\/]/).at(-1)}` : 'the file'} beside the notebook, or name it with --data.`;
  }
  if (name === 'ModuleNotFoundError') {
    const module = /'([\w.]+)'/.exec(message)?.[1] ?? 'the module';
    const isGone = context.unavailable.some((each) => each.startsWith(module.split('.')[0]!.replaceAll('_', '-')));
    return isGone
      ? `No package index has ${module} for this Python: put ${module.split('.')[0]}.py beside the notebook, or take it out of the cell.`
      : `Put ${module} beside the notebook, or add it to requirements.txt.`;
  }
  if (/network/i.test(message)) return 'Allow the network with --network, or lay the data beside the notebook.';
  if (name === 'NameError') {
    const missing = /name '(\w+)'/.exec(message)?.[1];
    return `No cell before it makes ${missing ?? 'that name'}: define it, or put the cells in the order in which they were run.`;
  }
  return `Correct cell ${cell.number} so that the notebook runs from top to bottom (with ${context.environment}).`;
}

/** No model can be served: where a failed cell is why, it is named with its fix. */
function noModel(best: BestRun, found: Static, places: Places): Error {
  const { candidates, reason } = best.candidates;
  const told = reason ?? `${places.name} runs to its end but leaves no fitted model`;
  const named = /\bcell (\d+)/.exec(told)?.[1];
  const number = candidates[0]?.dependsOnFailed[0] ?? (named === undefined ? undefined : Number(named));
  const failed = best.run.cells.filter(({ error }) => error !== null);
  const isEmpty = candidates.length === 0;
  const cell =
    failed.find((each) => each.number === number) ??
    (isEmpty ? failed.find((each) => !isAside(each.number, found)) : undefined);
  if (cell) {
    const what = `${places.name} leaves no model that can be served: it needs cell ${cell.number}`;
    const context = { environment: best.attempt.built.recipe.label, unavailable: best.attempt.built.unavailable };
    return failedCell(cell, what, found, context, number === cell.number ? told : undefined);
  }
  const line = /\bline (\d+)/.exec(told)?.[1];
  return refusal('no_model', told, {
    cell: number ?? null,
    line: line === undefined ? null : Number(line),
    hint: 'Keep the fitted model in a variable, or name one with --model.',
  });
}

const othersHint = (others: readonly Candidate[]): string =>
  others.length === 0
    ? 'No other fitted model is left.'
    : `Name another with --model: ${others.map(nameOf).join(', ')}.`;
