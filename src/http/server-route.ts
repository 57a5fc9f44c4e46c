import type { Route } from '../wire/route.ts';

export interface ServerFacts {
  readonly version: string;
  readonly url: string;
  readonly gatewayUrl: string | null;
  readonly dataDir: string | null;
}

/** How the command line tells a Levain from whatever else may listen on a port. */
export const serverRoute = (facts: () => ServerFacts): Route => ({
  method: 'GET',
  path: '/server',
  permission: 'public',
  summary: 'What answers here',
  handler: async () => ({ name: 'levain', ...facts() }),
});
