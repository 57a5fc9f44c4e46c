import { isAbsolute, resolve } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import type { Sources } from '../../ports/source.ts';
import { fileSource } from './files.ts';
import { httpSource } from './http.ts';
import { type S3SourceOptions, s3Source } from './s3.ts';

export interface SourcesOptions {
  readonly s3?: S3SourceOptions;
}

/** Local files, folders and globs, `s3://bucket/key` (globs too), and single files over `https://` (or `http://`). */
export function createSources({ s3 = {} }: SourcesOptions = {}): Sources {
  return {
    resolve(from, base) {
      const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(from)?.[1]?.toLowerCase();
      if (scheme === undefined) return fileSource(from, isAbsolute(from) ? from : resolve(base, from));
      if (scheme === 's3') return s3Source(from, s3);
      if (scheme === 'https' || scheme === 'http') return httpSource(from);
      throw new AppError(
        'invalid',
        `"${from}" begins with ${scheme}://, which is not built; use a path, a glob, s3:// or https://`,
      );
    },
  };
}
