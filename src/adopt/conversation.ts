import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { AdoptFiles, AdoptResult, Question, Refused, Stage } from './types.ts';

/** JSON lines with the process that started this one: progress and questions out, answers in. */
export interface Conversation {
  progress(stage: Stage, text: string, cell?: number, of?: number): void;
  /** The value of the chosen option; the first one where nobody answers. */
  ask(question: Question): Promise<string>;
  end(line: AdoptResult | AdoptFiles | Refused): Promise<void>;
}

const MAX_ANSWER_CHARACTERS = 4_096;

export function converse(input: Readable, output: Writable): Conversation {
  const waiting = new Map<string, (answer: string | undefined) => void>();
  let asked = 0;
  let isOpen = true;
  const lines = createInterface({ input });
  lines.on('line', (line) => {
    const answer = parseAnswer(line);
    if (answer) waiting.get(answer.id)?.(answer.answer);
  });
  lines.on('close', () => {
    isOpen = false;
    for (const resolve of waiting.values()) resolve(undefined);
  });
  const write = (line: object) => output.write(`${JSON.stringify(line)}\n`);
  return {
    progress: (stage, text, cell, of) =>
      void write({ t: 'progress', stage, text, ...(cell !== undefined && { cell }), ...(of !== undefined && { of }) }),
    async ask(question) {
      const first = question.options[0]?.value ?? '';
      if (!isOpen) return first;
      const id = `q${++asked}`;
      const answered = new Promise<string | undefined>((resolve) => waiting.set(id, resolve));
      write({ t: 'ask', id, question });
      const answer = await answered;
      waiting.delete(id);
      return question.options.some((option) => option.value === answer) ? answer! : first;
    },
    async end(line) {
      lines.close();
      input.destroy();
      await new Promise<void>((resolve) => output.write(`${JSON.stringify(line)}\n`, () => resolve()));
    },
  };
}

function parseAnswer(line: string): { readonly id: string; readonly answer: string } | undefined {
  if (line.length > MAX_ANSWER_CHARACTERS) return undefined;
  try {
    const value = JSON.parse(line) as { id?: unknown; answer?: unknown };
    return typeof value.id === 'string' ? { id: value.id, answer: String(value.answer ?? '') } : undefined;
  } catch {
    return undefined;
  }
}
