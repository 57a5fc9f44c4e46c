/** What a running cell says, in order. `output` is an nbformat 4 output object. */
export type KernelEvent =
  | { readonly type: 'output'; readonly output: Readonly<Record<string, unknown>> }
  | { readonly type: 'clear'; readonly wait: boolean };

export type CellResult =
  | { readonly status: 'ok'; readonly executionCount: number | null }
  | { readonly status: 'error'; readonly name: string; readonly message: string; readonly traceback: readonly string[] }
  | { readonly status: 'dead'; readonly exitCode: number | null; readonly signal: string | null }
  | { readonly status: 'timeout' };

/** A Jupyter kernel in a child process of this one; dies with it. */
export interface Kernel {
  readonly pid: number;
  execute(
    code: string,
    options?: {
      readonly timeoutMs?: number;
      readonly onEvent?: (event: KernelEvent) => void;
      readonly silent?: boolean;
    },
  ): Promise<CellResult>;
  interrupt(): Promise<void>;
  shutdown(): Promise<void>;
}

/** Starts ipykernel from an environment's Python. Throws `invalid` where ipykernel is missing or the kernel does not come up. */
export interface Kernels {
  start(options: {
    readonly python: string;
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    /** A program and its arguments under which the kernel starts; it replaces itself with what follows (`unshare --net`). */
    readonly under?: readonly string[];
  }): Promise<Kernel>;
}
