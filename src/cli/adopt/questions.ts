import type { Question } from '../../adopt/types.ts';
import { AppError } from '../../kernel/errors.ts';
import { type CommandContext, EXIT } from '../command.ts';

/**
 * The answer to a question of the adoption: at a terminal the person's; under `--yes` yes where that is an option; else the
 * best-supported one, which comes first. What was taken is said either way.
 */
export async function answerQuestion(context: CommandContext, question: Question): Promise<string> {
  const { isTerminal, json, yes, out } = context;
  if (isTerminal && !yes && !json) return askPerson(question);
  const agreed = yes ? question.options.find(({ value }) => value === 'yes') : undefined;
  const taken = agreed ?? question.options[0];
  if (!taken) throw new AppError('invalid', question.text);
  out.note(`  ${question.text} Took ${taken.label}.`);
  return taken.value;
}

async function askPerson({ text, options }: Question): Promise<string> {
  const { isCancel, select } = await import('@clack/prompts');
  const answer = await select<string>({
    message: text,
    options: options.map(({ value, label, hint }) => ({ value, label, ...(hint !== null && { hint }) })),
  });
  if (!isCancel(answer)) return answer;
  throw new AppError('unavailable', 'Interrupted; nothing was written', { exitCode: EXIT.interrupted });
}
