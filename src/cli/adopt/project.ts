import type { AdoptFiles } from '../../adopt/types.ts';
import { sha256 } from '../../kernel/hash.ts';
import { writeProjectFile } from '../../project-file/index.ts';
import { PROJECT_FILE } from '../apply.ts';
import { type CommandContext, type CommandResult, EXIT } from '../command.ts';
import { takeSnapshot } from '../snapshot.ts';
import { type PlannedFile, planTexts, writeFiles } from './files.ts';
import { freeName, handOver } from './hand-over.ts';
import { saveMemory } from './memory.ts';
import { filesText } from './report.ts';
import type { Target } from './target.ts';

interface Asking {
  readonly dryRun: boolean;
  /** `--name`. */
  readonly name: string | null;
  /** Digest of what was asked. */
  readonly asked: string;
  mayWrite(context: CommandContext, files: readonly PlannedFile[]): Promise<boolean>;
}

/** A folder that became a project without a run: what was found is told, and the files are written after showing them. */
export async function adoptProject(
  context: CommandContext,
  { folder }: Target,
  adopted: AdoptFiles,
  { dryRun, name: given, asked, mayWrite }: Asking,
): Promise<CommandResult> {
  const name = given ?? (await freeName(context, adopted.name));
  const yaml = { path: PROJECT_FILE, text: writeProjectFile({ name, ...adopted.project }) };
  const files = await planTexts(folder, [yaml, ...adopted.files]);
  context.out.line(`\n${reportOf(adopted)}\n\n${filesText(files, true)}\n`);
  const wrote = !dryRun && (await mayWrite(context, files));
  if (wrote) {
    await writeFiles(folder, files);
    const { sourceDigest } = await takeSnapshot(folder, []);
    const written = Object.fromEntries(files.map(({ path, text }) => [path, sha256(text)]));
    await saveMemory(folder, { written, asked, sourceDigest, adoptedAt: Date.now(), name, run: null, filed: {} });
  }
  const server = wrote ? await handOver(context) : undefined;
  const changed = files.filter(({ state }) => state !== 'same').map(({ path }) => path);
  const { kind, found, left, warnings } = adopted;
  return {
    schema: 'adoption/1',
    data: {
      ...{ name, wrote, kind, found, left },
      files: files.map(({ path, text, state }) => ({ path, text, state })),
      server: server ?? null,
    },
    text: `${sayWhatWasWritten(wrote, changed)}${server ? `\n${name} is applied to ${server.url}.` : ''}`,
    warnings,
    next: wrote ? [...(server ? [] : ['levain up -d']), 'levain run'] : [],
    exitCode: EXIT.ok,
  };
}

function sayWhatWasWritten(wrote: boolean, changed: readonly string[]): string {
  if (!wrote) return 'Nothing was written.';
  if (changed.length === 0) return 'Every file stands there already as adopt would write it; nothing was changed.';
  return `Wrote ${changed.join(', ')}.`;
}

function reportOf({ found, left, project, kind }: AdoptFiles): string {
  const notTaken = left.length > 0 ? ['', 'Not taken over:', ...left.map((line) => `  ${line}`)] : [];
  return [...found, ...notTaken, ...(project['model'] && !project['data'] ? ['', withoutData(kind)] : [])].join('\n');
}

/** A version stands on a dataset; that there is none is said before anything is written. */
const withoutData = (kind: AdoptFiles['kind']): string =>
  `No file of rows was found, so \`levain run\` cannot register a version, and neither gate nor monitor works: ${
    kind === 'mlproject'
      ? 'give it with --data PATH and adopt again'
      : 'name it in levain.yaml, data: { rows: { from: PATH } }'
  }.`;
