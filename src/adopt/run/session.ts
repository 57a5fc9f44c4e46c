import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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

/** What a kernel inherits where it is set; nothing else comes in, no key of a person's shell among it. */
const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'OPENBLAS_CORETYPE',
  'OPENBLAS_L2_SIZE',
  'CUDA_VISIBLE_DEVICES',
] as const;
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'] as const;
const CERTIFICATES = ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE'] as const;

/** The kernel's environment: as a step's, so that what runs here runs there; what it imports stays compiled for those. */
export function kernelEnvironment(options: {
  readonly python: string;
  readonly pythonPath: string;
  readonly network: boolean;
  readonly isolation: Pick<Isolation, 'env'>;
  readonly env: NodeJS.ProcessEnv;
}): Record<string, string> {
  const names: readonly string[] = options.network ? [...INHERITED, ...PROXIES, ...CERTIFICATES] : INHERITED;
  const inherited = Object.fromEntries(
    names.flatMap((name) => (options.env[name] === undefined ? [] : [[name, options.env[name]]])),
  );
  const bin = dirname(options.python);
  return {
    LANG: 'C.UTF-8',
    ...inherited,
    PATH: `${bin}:${inherited['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}`,
    VIRTUAL_ENV: join(bin, '..'),
    PYTHONPATH: options.pythonPath,
    PYTHONUNBUFFERED: '1',
    PYTHONHASHSEED: '0',
    MPLBACKEND: 'Agg',
    OMP_WAIT_POLICY: 'PASSIVE',
    GIT_PYTHON_REFRESH: 'quiet',
    ...options.isolation.env,
  };
}
