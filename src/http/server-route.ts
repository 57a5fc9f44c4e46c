import type { Machine } from '../ports/machine.ts';
import { route } from '../wire/route.ts';

export interface ServerFacts {
  readonly version: string;
  readonly url: string;
  readonly gatewayUrl: string | null;
  readonly dataDir: string | null;
}

/** Where it keeps things, without what a secret could hide in. */
export interface ServerPlaces {
  readonly database: string;
  readonly objects: string;
}

/** What answers here, what it stores, and whether its machine has what it needs. */
export const serverRoutes = (facts: () => ServerFacts, machine: Machine, places: ServerPlaces) => [
  route(
    {
      method: 'GET',
      path: '/server',
      permission: 'public',
      // How the command line tells a Levain from whatever else may listen on a port.
      summary: 'What answers here',
    },
    async () => ({ name: 'levain', ...facts() }),
  ),
  route(
    { method: 'GET', path: '/server/places', permission: 'read', summary: 'Where database and contents are' },
    async () => places,
  ),
  route(
    {
      method: 'GET',
      path: '/server/storage',
      permission: 'read',
      summary: 'How much is stored, by kind',
    },
    async () => {
      const { measuredAt, ...storage } = await machine.storage();
      return { ...storage, measuredAt: new Date(measuredAt).toISOString() };
    },
  ),
  route(
    {
      method: 'GET',
      path: '/server/doctor',
      permission: 'read',
      summary: 'Whether the server has what it needs, and what to do where not',
    },
    async () => ({ findings: await machine.check() }),
  ),
];
