/** What to run. `id` is deterministic (`<run>-<step>-<attempt>`): starting it again while it is known changes nothing. */
export interface TaskSpec {
  readonly id: string;
  /** argv; a shell command is ['sh', '-c', text]. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** The whole environment (an allow-list): nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Folder of the attempt: claim, log and exit files live in it. Exists before `start`. */
  readonly attemptDir: string;
  readonly resources?: { readonly cpu?: number; readonly memoryBytes?: number };
}

export type TaskState =
  | { readonly state: 'unclaimed' }
  | { readonly state: 'running'; readonly pid: number }
  | { readonly state: 'exited'; readonly exitCode: number; readonly signal?: string; readonly oom?: boolean }
  | { readonly state: 'lost'; readonly reason: string };

/**
 * Runs tasks that outlive this process.
 *
 * - `start` is idempotent by `id`; the claim is exclusive, so a task runs at most once however often it is started.
 * - `inspect` answers after a restart too (adoption by host, boot, pid and start time).
 * - `wait` resolves when the task has exited or is lost; an abort stops the waiting, not the task.
 * - `cancel` sends TERM to the group, waits `graceMs`, sends KILL and sweeps what is left. Idempotent.
 * - Output is appended to `<attemptDir>/log` (stdout and stderr together).
 */
export interface Executor {
  start(task: TaskSpec): Promise<void>;
  inspect(task: Pick<TaskSpec, 'id' | 'attemptDir'>): Promise<TaskState>;
  wait(task: Pick<TaskSpec, 'id' | 'attemptDir'>, signal?: AbortSignal): Promise<TaskState>;
  cancel(task: Pick<TaskSpec, 'id' | 'attemptDir'>, graceMs?: number): Promise<void>;
}

/** A Python environment built from a lock. Immutable once ready. */
export interface PythonEnvironment {
  /** sha256 over lock, Python version and platform. */
  readonly digest: string;
  readonly python: string;
  readonly pythonVersion: string;
}

/**
 * Builds Python environments from `requirements.lock` texts (first line `# python: 3.11`).
 *
 * - `digestOf` is pure. `build` is single-flight by digest, resumable after a crash, and reports progress lines.
 * - `find` answers only environments that are whole.
 * - A lock that cannot be installed throws `invalid` with the installer's last lines.
 */
export interface LockOptions {
  readonly python: string;
  /** Packages as they were before this day (ISO 8601). */
  readonly excludeNewer?: string;
  /** Packages for which that day does not count. */
  readonly anyDay?: readonly string[];
  /** Nothing that would have to be built from source. */
  readonly wheelsOnly?: boolean;
  /** Lines that bound versions without asking for the package. */
  readonly constraints?: readonly string[];
}

export interface Environments {
  digestOf(lock: string): string;
  find(digest: string): Promise<PythonEnvironment | undefined>;
  build(lock: string, onProgress?: (line: string) => void): Promise<PythonEnvironment>;
  /**
   * Resolves requirement lines to a lock text with pinned versions and without registry addresses. Throws `invalid` with the
   * resolver's reason.
   */
  lock(requirements: readonly string[], options: LockOptions): Promise<string>;
  /** Versions of the Pythons that are installed, newest first: `3.12.1`. None is ever downloaded for this. */
  pythons(): Promise<readonly string[]>;
}
