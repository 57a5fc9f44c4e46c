import type { Environments } from '../ports/executor.ts';
import type { Kernels } from '../ports/kernels.ts';
import type { Conversation } from './conversation.ts';
import type { AdoptSpec } from './types.ts';

export interface AdoptDeps {
  readonly environments: Environments;
  readonly kernels: Kernels;
  readonly clock: { now(): number };
  readonly conversation: Conversation;
  readonly env: NodeJS.ProcessEnv;
  /** The folder that holds `levain_runtime`. */
  readonly pythonPath: string;
  /** Any Python 3: for what reads and does not run. */
  readonly python: string;
  /** What must end on every way out. */
  readonly onEnd: (close: () => Promise<void>) => void;
}

/** Where things are: the project, the notebook in it, and the folder of this adoption. */
export interface Places {
  readonly spec: AdoptSpec;
  /** The project's folder where the notebook lies in it, else the notebook's. */
  readonly root: string;
  readonly beside: string;
  /** The notebook's path under the root, with `/`. */
  readonly notebook: string;
  /** Its file name: how messages call it. */
  readonly name: string;
}
