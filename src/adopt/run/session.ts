import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DEFAULT_PATH, inheritedEnvironment, PYTHON_SETTINGS } from '../../kernel/step-environment.ts';
import type { Kernel, Kernels } from '../../ports/kernels.ts';
import { refusal } from '../refusal.ts';
import type { Isolation } from './network.ts';

/** A kernel in the copy that records what the notebook does. */
export interface Session {
  readonly kernel: Kernel;
  /** Runs code of ours beside the notebook's; throws a refusal that names what was being done where it fails. */
  call(what: string, code: string, timeoutMs?: number): Promise<void>;
  /** As `call`, then reads the JSON file that the code has written. */
  ask(what: string, code: string, path: string, timeoutMs?: number): Promise<unknown>;
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly kernels: Kernels;
  readonly python: string;
  /** The notebook's folder in the copy. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly isolation: Isolation;
  /** What `levain_runtime.adopt.trace` is told. */
  readonly trace: Readonly<Record<string, unknown>>;
}

const OWN_CODE_TIMEOUT_MS = 20 * 60_000;

export async function openSession(options: SessionOptions): Promise<Session> {
  const { kernels, python, cwd, env, isolation } = options;
  const kernel = await kernels.start({ python, cwd, env, under: isolation.under });
  const session = toSession(kernel);
  const config = toPythonText(JSON.stringify(options.trace));
  await session
    .call(
      'the run could not be recorded',
      `import json as _levain_json, levain_runtime.adopt.trace as _levain_trace
_levain_trace.install(get_ipython(), _levain_json.loads(${config}))
del _levain_json, _levain_trace`,
    )
    .catch(async (error) => {
      await kernel.shutdown();
      throw error;
    });
  return session;
}

function toSession(kernel: Kernel): Session {
  const call: Session['call'] = async (what, code, timeoutMs = OWN_CODE_TIMEOUT_MS) => {
    const result = await kernel.execute(code, { silent: true, timeoutMs });
    if (result.status === 'ok') return;
    const why =
      result.status === 'error' ? `${result.name}: ${result.message}` : `the kernel answered ${result.status}`;
    throw refusal('not_possible', `${what[0]?.toUpperCase()}${what.slice(1)}: ${why}`, {
      details: { traceback: result.status === 'error' ? result.traceback.join('\n').slice(-6_000) : null },
    });
  };
  return {
    kernel,
    call,
    async ask(what, code, path, timeoutMs) {
      await call(what, code, timeoutMs);
      return JSON.parse(await readFile(path, 'utf8'));
    },
    close: () => kernel.shutdown(),
  };
}

/** A text as a Python literal; JSON's escapes are Python's. */
export const toPythonText = (text: string): string => JSON.stringify(text);

/** The kernel's environment: as a step's, so that what runs here runs there; what it imports stays compiled for those. */
export function kernelEnvironment(options: {
  readonly python: string;
  readonly pythonPath: string;
  readonly network: boolean;
  readonly isolation: Pick<Isolation, 'env'>;
  readonly env: NodeJS.ProcessEnv;
}): Record<string, string> {
  const inherited = inheritedEnvironment(options.env, options);
  const bin = dirname(options.python);
  return {
    LANG: 'C.UTF-8',
    ...inherited,
    PATH: `${bin}:${inherited['PATH'] ?? DEFAULT_PATH}`,
    VIRTUAL_ENV: join(bin, '..'),
    PYTHONPATH: options.pythonPath,
    ...PYTHON_SETTINGS,
    ...options.isolation.env,
  };
}
