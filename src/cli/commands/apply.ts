import { type ApplyAnswer, applyFolder } from '../apply.ts';
import { addExamples, type CommandModule } from '../command.ts';

const MAX_SHOWN = 40;

export const command: CommandModule = {
  name: 'apply',
  group: 'Start',
  summary: 'Apply levain.yaml: pipeline, triggers, rollouts, monitors',
  configure(cmd) {
    cmd.option('--dry-run', 'only print what would change');
    addExamples(cmd, [
      ['levain apply', 'this folder is what triggers, rollouts and monitors go by from now on'],
      ['levain apply --dry-run', 'print the difference to the applied file'],
    ]);
  },
  async run(context, _args, options) {
    await context.ensureServer();
    const answer = await applyFolder(context.client, context.out, context.cwd, options['dryRun'] === true);
    return {
      schema: 'apply/1',
      data: answer,
      text: toText(answer),
      next: answer.dryRun ? ['levain apply'] : ['levain run', 'levain status'],
    };
  },
};

function toText(answer: ApplyAnswer): string {
  const { pipeline, changes, applied, dryRun } = answer;
  const lines = changes.slice(0, MAX_SHOWN).map(({ key, before, after }) => changeLine(key, before, after));
  if (changes.length > MAX_SHOWN) lines.push(`… and ${changes.length - MAX_SHOWN} more`);
  const end = dryRun
    ? changes.length === 0
      ? `${pipeline}: the file says what is applied; nothing was changed.`
      : `${pipeline}: ${changes.length} changes; nothing was changed (--dry-run).`
    : applied
      ? `Applied ${pipeline}: ${changes.length === 0 ? 'new code, same file' : `${changes.length} changes`}.`
      : `${pipeline}: nothing changed since it was applied.`;
  return [...lines, end].join('\n');
}

function changeLine(key: string, before: unknown, after: unknown): string {
  if (before === undefined) return `+ ${key}: ${after}`;
  return after === undefined ? `- ${key}: ${before}` : `~ ${key}: ${before} → ${after}`;
}
