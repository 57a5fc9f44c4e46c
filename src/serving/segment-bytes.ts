import { AppError } from '../kernel/errors.ts';

/** Appends 8-byte-aligned sections; offsets are from the start of the body. */
export class ByteWriter {
  readonly #parts: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Keeps a reference until `copyTo`; answers where the section will stand. */
  append(bytes: Uint8Array): number {
    const at = (this.#length + 7) & ~7;
    this.#parts.push({ at, bytes });
    this.#length = at + bytes.length;
    return at;
  }

  copyTo(target: Uint8Array, start: number): void {
    for (const { at, bytes } of this.#parts) target.set(bytes, start + at);
  }
}

/** Reads sections back, refusing any that reach beyond the body. */
export class ByteReader {
  readonly #body: Uint8Array;

  constructor(body: Uint8Array) {
    this.#body = body;
  }

  section(at: number, length: number): Uint8Array {
    if (
      !(
        Number.isSafeInteger(at) &&
        Number.isSafeInteger(length) &&
        at >= 0 &&
        length >= 0 &&
        at + length <= this.#body.length
      )
    )
      throw new AppError(
        'invalid',
        `The log segment has a section at ${at} of ${length} bytes, beyond its ${this.#body.length}`,
      );
    return this.#body.subarray(at, at + length);
  }

  /** A copy, so that it is aligned and outlives the body. */
  float64s(at: number, count: number): Float64Array {
    const bytes = this.section(at, count * 8);
    const copy = new Float64Array(count);
    new Uint8Array(copy.buffer).set(bytes);
    return copy;
  }

  uint32s(at: number, count: number): Uint32Array {
    const copy = new Uint32Array(count);
    new Uint8Array(copy.buffer).set(this.section(at, count * 4));
    return copy;
  }
}

/** The bytes behind a typed array, without a copy. */
export const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
