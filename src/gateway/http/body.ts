import { AppError } from '../../kernel/errors.ts';
import { LIMITS } from '../limits.ts';

const { IncomingMessage } = process.getBuiltinModule('node:http');

export type OnBody = (error: AppError | null, body: Buffer) => void;

/**
 * A request whose body is gathered as the parser finds it. As a stream it would be queued, announced, read and ended over several turns of the event
 * loop, which costs as much as answering it; a body of one piece, as most are, is passed on as it is.
 */
export class GatheredRequest extends IncomingMessage {
  #onBody: OnBody | undefined;
  #first: Buffer | undefined;
  #more: Buffer[] | undefined;
  #sizeBytes = 0;

  /**
   * The whole body; or `too_large` beyond `LIMITS.bodyBytes`, or `unavailable` where the client goes away before its end. Calls `onBody` once, never at once.
   * To be asked when the headers are there; a body that nobody asks for is dropped.
   */
  readBody(onBody: OnBody): void {
    this.#onBody = onBody;
  }

  /** How the parser hands over a piece of the body, and null at its end. */
  override push(piece: Buffer | null): boolean {
    if (piece !== null) this.#take(piece);
    else {
      // Says that the body is read, so that the server does not throw away what it takes for unread.
      super._read(0);
      this.#finish(null, this.#more ? Buffer.concat(this.#more) : (this.#first ?? EMPTY));
    }
    return true;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#finish(new AppError('unavailable', 'The client went away'), EMPTY);
    super._destroy(error, callback);
  }

  #take(piece: Buffer): void {
    if (!this.#onBody) return;
    this.#sizeBytes += piece.length;
    if (this.#sizeBytes > LIMITS.bodyBytes) this.#finish(TOO_LARGE, EMPTY);
    else if (this.#first === undefined) this.#first = piece;
    else {
      this.#more ??= [this.#first];
      this.#more.push(piece);
    }
  }

  #finish(error: AppError | null, body: Buffer): void {
    const onBody = this.#onBody;
    this.#onBody = undefined;
    this.#first = undefined;
    this.#more = undefined;
    onBody?.(error, body);
  }
}

const EMPTY = Buffer.alloc(0);
const TOO_LARGE = new AppError(
  'too_large',
  `The body has more than ${LIMITS.bodyBytes} bytes; send fewer rows at once`,
);
