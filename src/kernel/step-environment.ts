type Environment = Readonly<Record<string, string | undefined>>;

/** What the user's Python inherits, where it is set. Nothing else comes in: no key of a person's or of the server's. */
const LOCAL = [
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

/** What leads to the network, for code that may use it. */
const NETWORK = [
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
] as const;

/** What a step and adopt's kernel inherit alike, so that what runs in one runs in the other. */
export function inheritedEnvironment(from: Environment, { network }: { readonly network: boolean }) {
  const names: readonly string[] = network ? [...LOCAL, ...NETWORK] : LOCAL;
  const entries = names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]] as const]));
  return Object.fromEntries(entries) as Readonly<Record<string, string>>;
}

/** Settings of the user's Python: its output at once, its hashes the same each time, its plots without a window. */
export const PYTHON_SETTINGS = {
  PYTHONUNBUFFERED: '1',
  PYTHONHASHSEED: '0',
  MPLBACKEND: 'Agg',
  // Threads that wait must not spin: beside a busy neighbour a fit of one second took six.
  OMP_WAIT_POLICY: 'PASSIVE',
  GIT_PYTHON_REFRESH: 'quiet',
} as const;

export const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';
