import type { Health } from './status.tsx';

export interface GraphNode {
  readonly id: string;
  readonly title: string;
  readonly detail?: string;
  readonly health?: Health;
  readonly word?: string;
}

export interface GraphProps {
  readonly label: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly (readonly [from: string, to: string])[];
  readonly selected?: string | undefined;
  readonly onSelect?: (id: string) => void;
  readonly height?: number;
}
