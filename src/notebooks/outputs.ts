import type { KernelEvent } from '../ports/kernels.ts';
import type { NotebookOutput } from './notebook.ts';

/** What one cell may keep; what comes beyond is counted, not kept. */
export const MAX_CELL_OUTPUT_BYTES = 8 * 2 ** 20;

/** The outputs of one running cell: streams grow together, `clear_output` empties. */
export interface CellOutputs {
  add(event: KernelEvent): void;
  readonly list: () => readonly NotebookOutput[];
}

export function collectOutputs(): CellOutputs {
  let outputs: NotebookOutput[] = [];
  let sizeBytes = 0;
  let dropped = 0;
  let clearNext = false;
  const clear = () => {
    outputs = [];
    sizeBytes = 0;
    clearNext = false;
  };
  const add = (output: NotebookOutput) => {
    if (clearNext) clear();
    const size = JSON.stringify(output).length;
    if (sizeBytes + size > MAX_CELL_OUTPUT_BYTES && output['output_type'] !== 'error') {
      dropped += size;
      return;
    }
    sizeBytes += size;
    const last = outputs.at(-1);
    if (last && isSameStream(last, output))
      outputs[outputs.length - 1] = { ...last, text: `${last['text']}${output['text']}` };
    else outputs.push(output);
  };
  return {
    add(event) {
      if (event.type === 'output') add(event.output);
      else if (event.wait) clearNext = true;
      else clear();
    },
    list: () => (dropped === 0 ? outputs : [...outputs, note(dropped)]),
  };
}

/** What a person reads in the log while the cell runs; undefined where there is only a picture or the like. */
export function toLogText(event: KernelEvent): string | undefined {
  if (event.type !== 'output') return undefined;
  const { output } = event;
  if (output['output_type'] === 'stream') return String(output['text'] ?? '');
  if (output['output_type'] === 'error') return undefined;
  const data = output['data'];
  const plain = typeof data === 'object' && data !== null ? (data as Record<string, unknown>)['text/plain'] : undefined;
  return typeof plain === 'string' ? `${plain}\n` : undefined;
}

const isSameStream = (a: NotebookOutput, b: NotebookOutput): boolean =>
  a['output_type'] === 'stream' && b['output_type'] === 'stream' && a['name'] === b['name'];

const note = (dropped: number): NotebookOutput => ({
  output_type: 'stream',
  name: 'stderr',
  text: `[levain] ${dropped} more bytes of output were not kept; a cell keeps at most ${MAX_CELL_OUTPUT_BYTES}\n`,
});
