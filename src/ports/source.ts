import type { Readable } from 'node:stream';

/** One file that a source holds now. `stamp` changes when the bytes may have changed (size, mtime, etag). */
export interface SourceFile {
  /** Path relative to the source, `/` separated. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly stamp: string;
}

/**
 * Where data comes from (`data.*.from`): local files and globs, S3, HTTPS, SQL.
 * `list` is sorted by name and throws `not_found` where nothing matches; `open` streams one file.
 */
export interface Source {
  list(): Promise<readonly SourceFile[]>;
  open(name: string): Promise<Readable>;
  /** The file's local path where it has one, so that nothing need be copied to read it. */
  localPath?(name: string): string;
}

export interface Sources {
  /** `base` is the folder that relative paths stand on. Throws `invalid` for a scheme that is not built. */
  resolve(from: string, base: string): Source;
}
