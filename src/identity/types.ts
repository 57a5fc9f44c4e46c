import { z } from 'zod';

/** From least to most; a role may do what the ones before it may. */
export const ROLES = ['viewer', 'editor', 'approver', 'admin'] as const;
export const roleSchema = z.enum(ROLES);
export type Role = z.output<typeof roleSchema>;

/** Names of projects and people: what fits a path and a shell without quotes. */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'write lower-case letters, digits, ".", "_" or "-", at most 63 characters');

export const ACTIVITY_KINDS = [
  'data',
  'run',
  'gate',
  'approval',
  'deploy',
  'rollout',
  'incident',
  'rehearsal',
  'hold',
  'label',
  'admin',
] as const;
export type ActivityKind = (typeof ACTIVITY_KINDS)[number];

export interface Project {
  readonly id: string;
  readonly name: string;
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: string;
}

export interface TokenInfo {
  readonly id: string;
  readonly name: string;
  readonly user: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

/** One line of the timeline. `eventAt` is the endpoint's event clock where the event belongs to one. */
export interface Activity {
  readonly id: string;
  readonly at: string;
  readonly eventAt: string | null;
  readonly kind: ActivityKind;
  /** What it is about: `churn`, `churn@v7`, a run's id. */
  readonly subject: string;
  /** The line that a person reads, with its numbers. */
  readonly sentence: string;
  /** The command that shows it. */
  readonly command: string | null;
  readonly actor: string;
}

export interface NewActivity {
  readonly projectId: string;
  /** Epoch ms of the wall clock. */
  readonly at: number;
  /** Epoch ms of the event clock. */
  readonly eventAt?: number | null | undefined;
  readonly kind: ActivityKind;
  readonly subject: string;
  readonly sentence: string;
  readonly command?: string | null | undefined;
  /** Who did it; `levain` where the system did. */
  readonly actor?: string | undefined;
}
