import { AppError } from '../kernel/errors.ts';
import type { PipelinesDeps } from './deps.ts';
import type { OutputFile } from './types.ts';

const LEARNED_FILE = 'levain/learned.pkl';
const MAX_FEATURES_BYTES = 16 * 2 ** 20;
const MAX_LEARNED_BYTES = 256 * 2 ** 20;

/** A table of sites that is not empty: what stands under LEARNED in the text is of another run. */
const HAS_SITES = /^SITES\s*(?::[^=]*)?=\s*\{\s*[^}\s#]/m;

/**
 * features.py as a version serves it: the project's text and, where the run that made the model learned values for it, a block that
 * holds them. Answers the digest; the project's own where there is nothing to add.
 */
export async function learnedFeatures(
  deps: Pick<PipelinesDeps, 'content'>,
  source: { readonly path: string; readonly digest: string },
  files: readonly OutputFile[],
): Promise<string> {
  const learned = files.find(({ path }) => path === LEARNED_FILE);
  const text = Buffer.from(await deps.content.bytes(source.digest, MAX_FEATURES_BYTES)).toString('utf8');
  if (!learned) {
    if (!HAS_SITES.test(text)) return source.digest;
    throw new AppError(
      'precondition_failed',
      `${source.path} learns values in a run of its notebook (SITES), and the run that made this model kept none; run the step again`,
    );
  }
  if (learned.sizeBytes > MAX_LEARNED_BYTES)
    throw new AppError(
      'too_large',
      `${source.path} learned ${learned.sizeBytes} bytes; at most ${MAX_LEARNED_BYTES} are served with a version`,
    );
  const values = Buffer.from(await deps.content.bytes(learned.digest, MAX_LEARNED_BYTES)).toString('base64');
  const { digest } = await deps.content.put(Buffer.from(`${text.trimEnd()}\n\n${blockOf(values)}`));
  return digest;
}

/** Short lines: a compiler of another Python may refuse a text of megabytes in one. */
function blockOf(base64: string): string {
  const lines = base64.match(/.{1,120}/g) ?? [];
  return [
    '# What the run of this version learned.',
    'import base64 as _base64',
    'import pickle as _pickle',
    '',
    'LEARNED.update(_pickle.loads(_base64.b64decode("""',
    ...lines,
    '""")))',
    '',
  ].join('\n');
}
