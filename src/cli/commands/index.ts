import type { CommandModule, Group } from '../command.ts';

/** A verb as `levain --help` lists it; the module `./<name>.ts` is loaded only when it runs. */
export interface CommandEntry {
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
  load(): Promise<CommandModule>;
}

/** Every verb, in the order of help. Its module exports `command: CommandModule` with the same name. */
const ENTRIES: readonly Omit<CommandEntry, 'load'>[] = [
  { group: 'Start', name: 'up', summary: 'Start the server here, and apply this folder' },
  { group: 'Start', name: 'apply', summary: 'Apply levain.yaml: pipeline, triggers, rollouts, monitors' },
  { group: 'Start', name: 'status', summary: 'Show models, versions, lights and what needs you' },
  { group: 'Start', name: 'down', summary: 'Stop the server and its gateway' },
  { group: 'Start', name: 'doctor', summary: 'Check this machine and this folder' },
  { group: 'Work', name: 'run', summary: 'Run stale steps, then gate, register and deploy as the file says' },
  { group: 'Work', name: 'runs', summary: 'List runs, or show one' },
  { group: 'Work', name: 'logs', summary: 'Print what a run or a step wrote' },
  { group: 'Work', name: 'data', summary: 'Dataset versions: list, add, show, diff, check' },
  { group: 'Ship', name: 'models', summary: 'List models and versions, or show one' },
  { group: 'Ship', name: 'deploy', summary: 'Put a version behind an endpoint' },
  { group: 'Ship', name: 'rollout', summary: 'Show a rollout and its evidence; continue, pause or abort it' },
  { group: 'Ship', name: 'promote', summary: 'Finish a rollout now: all traffic to the new version' },
  { group: 'Ship', name: 'approve', summary: 'Approve a version' },
  { group: 'Ship', name: 'reject', summary: 'Reject a version' },
  { group: 'Ship', name: 'rollback', summary: 'Go back to the previous version, and hold' },
  { group: 'Ship', name: 'hold', summary: 'Hold a model: no retraining, no promotion' },
  { group: 'Ship', name: 'resume', summary: 'Lift a hold' },
  { group: 'Live', name: 'predict', summary: 'Ask an endpoint' },
  { group: 'Live', name: 'predictions', summary: 'List logged predictions' },
  { group: 'Live', name: 'labels', summary: 'Send labels' },
  { group: 'Live', name: 'monitor', summary: 'Show the lights of a model, with numbers' },
  { group: 'Live', name: 'alerts', summary: 'List incidents' },
  { group: 'Live', name: 'why', summary: 'Say why: a run, step, version, prediction or incident' },
  { group: 'Live', name: 'ack', summary: 'Acknowledge an incident' },
  { group: 'Live', name: 'resolve', summary: 'Resolve an incident' },
  { group: 'Live', name: 'fallback', summary: 'Answer with the fallback until switched off' },
  { group: 'Live', name: 'rehearse', summary: 'Rehearse a failure on your own model, marked as such' },
  { group: 'Live', name: 'activity', summary: 'Print the timeline' },
  { group: 'Admin', name: 'server', summary: 'Run the control plane only' },
  { group: 'Admin', name: 'gateway', summary: 'Run a gateway only' },
  { group: 'Admin', name: 'config', summary: 'Explain levain.yaml, or print its JSON Schema' },
  { group: 'Admin', name: 'users', summary: 'Add and list users' },
  { group: 'Admin', name: 'tokens', summary: 'Create, list and revoke tokens' },
  { group: 'Admin', name: 'secret', summary: 'Set and list secrets' },
  { group: 'Admin', name: 'login', summary: 'Record a server and its token for this machine' },
];

export const COMMANDS: readonly CommandEntry[] = ENTRIES.map((entry) => ({
  ...entry,
  load: async () => ((await import(`./${entry.name}.ts`)) as { command: CommandModule }).command,
}));
