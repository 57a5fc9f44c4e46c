import { call } from '../../api/client.ts';
import { upload } from '../../api/upload.ts';
import type { Picked } from './files.ts';

export interface Sending {
  readonly path: string;
  readonly sent: number;
  readonly sizeBytes: number;
}

/** Announces the files (to a new drop, or to one that wants more), sends each, and starts where it is plain what to adopt. */
export async function sendFiles(
  picked: readonly Picked[],
  drop: string | undefined,
  onProgress: (sending: Sending) => void,
): Promise<string> {
  const files = picked.map(({ path, file }) => ({ path, sizeBytes: file.size }));
  const announced = drop
    ? await call('POST /drops/:id/files', { params: { id: drop }, body: { files } })
    : await call('POST /drops', { body: { files } });
  const params = { id: announced.id };
  for (const { path, file } of picked) {
    const progress = (sent: number): void => onProgress({ path, sent, sizeBytes: file.size });
    progress(0);
    await upload('PUT /drops/:id/content', { params, query: { path }, body: file, onProgress: progress });
  }
  if (announced.entries.length === 1) await call('POST /drops/:id/start', { params, body: {} });
  return announced.id;
}
