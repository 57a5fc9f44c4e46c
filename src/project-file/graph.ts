import type { StepSection } from './types.ts';

/** `data:churn` → `churn`; undefined for a path. */
export const datasetOf = (input: string): string | undefined =>
  input.startsWith('data:') ? input.slice(5) : undefined;

/**
 * For each step the steps that it waits for, in the file's order: by `needs`, and where an `in` is (or lies in, or holds) an `out`.
 * A step without `in` sees the snapshot and all data, not what other steps put out, unless `needs` says so.
 */
export function stepEdges(steps: Readonly<Record<string, StepSection>>): Readonly<Record<string, readonly string[]>> {
  const names = Object.keys(steps);
  const edges = names.map((name) => {
    const { in: inputs, needs } = steps[name]!;
    const paths = (inputs ?? []).filter((input) => datasetOf(input) === undefined);
    const feeds = (other: string): boolean =>
      needs.includes(other) ||
      (other !== name && steps[other]!.out.some((out) => paths.some((path) => overlaps(path, out))));
    return [name, names.filter(feeds)] as const;
  });
  return Object.fromEntries(edges);
}

/** Steps so that each comes after what it waits for; ties in the file's order. Throws nothing: a cycle is left out. */
export function stepOrder(steps: Readonly<Record<string, StepSection>>): readonly string[] {
  const edges = stepEdges(steps);
  const order: string[] = [];
  let left = Object.keys(steps);
  while (left.length > 0) {
    const ready = left.filter((name) => edges[name]!.every((other) => order.includes(other)));
    if (ready.length === 0) break;
    order.push(...ready);
    left = left.filter((name) => !ready.includes(name));
  }
  return order;
}

/** One cycle among the steps, as the steps on it in order, or undefined. */
export function findCycle(steps: Readonly<Record<string, StepSection>>): readonly string[] | undefined {
  const edges = stepEdges(steps);
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(name)) return trail.slice(trail.indexOf(name));
    if (done.has(name)) return undefined;
    for (const next of edges[name] ?? []) {
      const cycle = visit(next, [...trail, name]);
      if (cycle) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of Object.keys(steps)) {
    const cycle = visit(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}

const overlaps = (a: string, b: string): boolean => {
  const [left, right] = [trim(a), trim(b)];
  return left === right || left.startsWith(`${right}/`) || right.startsWith(`${left}/`);
};

const trim = (path: string): string => path.replace(/^\.\//, '').replace(/\/+$/, '');
