import { systemClock } from '../adapters/system/index.ts';
import { endProcess, stopGateway } from './gateway-child.ts';
import { findGateway, findLive, findServer } from './records.ts';

/** Ends the control plane of a data directory and its gateway, whichever of them live. */
export async function stopAll(dataDir: string): Promise<{ readonly server: boolean; readonly gateway: boolean }> {
  const server = findLive(findServer(dataDir));
  const gateway = findLive(findGateway(dataDir)) !== undefined;
  if (server) await endProcess(server, systemClock);
  const left = await stopGateway(dataDir, systemClock);
  return { server: server !== undefined, gateway: gateway || left };
}
