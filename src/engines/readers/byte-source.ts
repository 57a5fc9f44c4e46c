import { refuse, within } from './limits.ts';

/** Where bytes are taken from; joblib reads its raw array blocks from the same place. */
export class ByteSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(length: number): Uint8Array {
    if (!Number.isSafeInteger(length) || length < 0 || length > this.bytes.length - this.at)
      throw refuse(`it asks for ${length} bytes where ${this.bytes.length - this.at} remain`);
    const start = this.at;
    this.at += length;
    return this.bytes.subarray(start, this.at);
  }

  skip(length: number): number {
    const start = this.at;
    this.take(length);
    return start;
  }

  u8 = (): number => this.view.getUint8(this.skip(1));
  u16 = (): number => this.view.getUint16(this.skip(2), true);
  i32 = (): number => this.view.getInt32(this.skip(4), true);
  u32 = (): number => this.view.getUint32(this.skip(4), true);
  u64(): number {
    const value = this.view.getBigUint64(this.skip(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse(`a length of ${value} bytes`);
    return Number(value);
  }

  /** Up to the next line feed; protocol 0 text is latin-1, which \u escapes widen. */
  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw refuse('a text line does not end');
    within('lineBytes', end - this.at);
    const text = latin1(this.bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }
}

export const utf8 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
export const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
