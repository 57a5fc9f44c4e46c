import type { KernelEvent } from '../../ports/kernels.ts';
import type { KernelMessage } from './messages.ts';

/** The event that an iopub message means for a cell (nbformat 4 outputs), or undefined where it means none. */
export function toEvent({ type, content }: KernelMessage): KernelEvent | undefined {
  if (type === 'stream') return output({ output_type: 'stream', name: content['name'], text: content['text'] });
  if (type === 'display_data' || type === 'update_display_data') {
    return output({ output_type: 'display_data', data: content['data'], metadata: content['metadata'] ?? {} });
  }
  if (type === 'execute_result') {
    const { data, metadata, execution_count } = content;
    return output({ output_type: 'execute_result', execution_count, data, metadata: metadata ?? {} });
  }
  if (type === 'error') {
    return output({
      output_type: 'error',
      ename: content['ename'],
      evalue: content['evalue'],
      traceback: content['traceback'],
    });
  }
  if (type === 'clear_output') return { type: 'clear', wait: content['wait'] === true };
  return undefined;
}

const output = (value: Readonly<Record<string, unknown>>): KernelEvent => ({ type: 'output', output: value });
