import { type CommandContext, usage } from './command.ts';

/** Asks for a secret without showing it; without a terminal, the first line of standard input. */
export async function readSecret({ isTerminal }: CommandContext, question: string): Promise<string> {
  if (!isTerminal) return readFirstLine(question);
  const { isCancel, password } = await import('@clack/prompts');
  const answer = await password({ message: question });
  if (isCancel(answer)) throw usage('Nothing was entered');
  return answer;
}

async function readFirstLine(question: string): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  const line = text.split('\n', 1)[0]?.trim() ?? '';
  if (line === '') throw usage(`${question}: standard input is empty; write it there`);
  return line;
}
