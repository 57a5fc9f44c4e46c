import { AppError, messageOf } from '../kernel/errors.ts';
import type { Refused } from './types.ts';

export const EXIT = { failure: 1, usage: 2, notFound: 3, timeout: 124, interrupted: 130 } as const;

export interface RefusalDetail {
  readonly cell?: number | null;
  readonly line?: number | null;
  readonly hint?: string | null;
  readonly exit?: number;
  readonly details?: Refused['details'];
}

/** A reason why a notebook is not served: thrown anywhere in the story, told once at its end. */
export const refusal = (code: string, message: string, detail: RefusalDetail = {}): AppError =>
  new AppError('invalid', message, { refusal: { code, ...detail } });

/** Whatever was thrown as the line that ends the adoption; a bug keeps its message and says that it is one. */
export function toRefused(error: unknown): Refused {
  const known = error instanceof AppError ? error : undefined;
  const given = known?.details?.['refusal'] as (RefusalDetail & { code: string }) | undefined;
  const message = messageOf(error);
  return {
    t: 'refused',
    code: given?.code ?? known?.code ?? 'internal',
    message: known ? message : `Adopting stopped at a fault of its own: ${message}`,
    cell: given?.cell ?? null,
    line: given?.line ?? null,
    hint: given?.hint ?? null,
    exit: given?.exit ?? (known?.code === 'not_found' ? EXIT.notFound : EXIT.failure),
    details: { ...given?.details },
  };
}
