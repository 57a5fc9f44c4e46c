import { InvalidArgumentError } from 'commander';

const MAX_PORT = 65_535;

/** For commander: a port, 0 for any free one. */
export function parsePort(value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > MAX_PORT) throw new InvalidArgumentError(`write a number from 0 to ${MAX_PORT}.`);
  return port;
}

/** For commander: a whole number within bounds. */
export function parseCount(min: number, max: number): (value: string) => number {
  return (value) => {
    const count = Number(value);
    if (!/^\d+$/.test(value) || count < min || count > max) {
      throw new InvalidArgumentError(`write a number from ${min} to ${max}.`);
    }
    return count;
  };
}

/** An option that takes a text, if it was given. */
export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** An option that takes a number, if it was given. */
export const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
