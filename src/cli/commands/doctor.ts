import { execFile } from 'node:child_process';
import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import { messageOf } from '../../kernel/errors.ts';
import { hasProjectFile, readProjectFile } from '../apply.ts';
import { addExamples, type CommandContext, type CommandModule, EXIT } from '../command.ts';
import { resolveDataDir } from '../records.ts';
import { findServerInfo } from '../server-process.ts';

interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'missing';
  readonly detail: string;
  readonly fix?: string;
}

const LOW_DISK_BYTES = 2 * 2 ** 30;
const run = promisify(execFile);

export const command: CommandModule = {
  name: 'doctor',
  group: 'Start',
  summary: 'Check this machine and this folder',
  configure(command) {
    addExamples(command, [['levain doctor', 'what is missing here, and how to get it']]);
  },
  async run(context) {
    const findings = await Promise.all([
      checkNode(),
      checkProgram('python3', ['--version'], 'warning', 'install Python 3.11 or newer'),
      checkProgram(
        context.env['LEVAIN_UV'] ?? 'uv',
        ['--version'],
        'warning',
        'it is installed by itself when first needed',
      ),
      checkProgram('git', ['--version'], 'warning', 'without it, snapshots walk the folder'),
      checkDataDir(context),
      checkProjectFile(context),
      checkServer(context),
    ]);
    const rows = findings.map(({ name, state, detail, fix }) => [name, state, detail, fix ?? '']);
    const missing = findings.some(({ state }) => state === 'missing');
    return {
      schema: 'doctor/1',
      data: { findings },
      text: context.out.table(['what', 'state', 'found', 'fix'], rows),
      next: missing ? [] : ['levain up'],
      exitCode: missing ? EXIT.failure : EXIT.ok,
    };
  },
};

async function checkNode(): Promise<Finding> {
  const major = Number(process.versions.node.split('.')[0]);
  const state = major >= 24 ? 'ok' : 'missing';
  return {
    name: 'node',
    state,
    detail: process.version,
    ...(state === 'ok' ? {} : { fix: 'install Node 24 or newer' }),
  };
}

async function checkProgram(program: string, args: string[], state: Finding['state'], fix: string): Promise<Finding> {
  const name = program.split('/').at(-1)!;
  try {
    const { stdout } = await run(program, args, { timeout: 10_000 });
    return { name, state: 'ok', detail: stdout.trim().split('\n')[0]! };
  } catch {
    return { name, state, detail: 'not found', fix };
  }
}

async function checkDataDir({ cwd, env }: CommandContext): Promise<Finding> {
  const dataDir = await resolveDataDir(cwd, env, undefined);
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, constants.W_OK);
    const { bavail, bsize } = await statfs(dataDir);
    const free = bavail * bsize;
    const detail = `${dataDir}, ${(free / 2 ** 30).toFixed(1)} GiB free`;
    return free < LOW_DISK_BYTES
      ? { name: 'data directory', state: 'warning', detail, fix: 'free some space, or choose another with --data-dir' }
      : { name: 'data directory', state: 'ok', detail };
  } catch (error) {
    return {
      name: 'data directory',
      state: 'missing',
      detail: messageOf(error),
      fix: 'choose another with --data-dir',
    };
  }
}

async function checkProjectFile({ cwd }: CommandContext): Promise<Finding> {
  const name = 'levain.yaml';
  if (!(await hasProjectFile(cwd)))
    return { name, state: 'warning', detail: 'none here', fix: 'a server works without one' };
  try {
    const { file } = await readProjectFile(cwd);
    return { name, state: 'ok', detail: `${file.name}, ${Object.keys(file.steps).length} steps` };
  } catch (error) {
    return { name, state: 'missing', detail: messageOf(error), fix: 'levain config explain' };
  }
}

async function checkServer({ client }: CommandContext): Promise<Finding> {
  const { url } = await client.address();
  const info = await findServerInfo(url);
  if (!info) return { name: 'server', state: 'warning', detail: `none at ${url}`, fix: 'levain up' };
  return { name: 'server', state: 'ok', detail: `${info.version} at ${info.url}` };
}
