import type { CommandModule, Group } from '../command.ts';

/** A verb as `levain --help` lists it; its module is loaded only when it runs. */
export interface CommandEntry {
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
  load(): Promise<CommandModule>;
}

const commandOf = async (module: Promise<{ readonly command: CommandModule }>): Promise<CommandModule> =>
  (await module).command;

/** Every verb, in the order of help. Its module exports `command: CommandModule` with the same name. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    group: 'Start',
    name: 'adopt',
    summary: 'Take a notebook as it is: run it, prove it, write levain.yaml',
    load: () => commandOf(import('./adopt.ts')),
  },
  {
    group: 'Start',
    name: 'up',
    summary: 'Start the server here, and apply this folder',
    load: () => commandOf(import('./up.ts')),
  },
  {
    group: 'Start',
    name: 'apply',
    summary: 'Apply levain.yaml: pipeline, triggers, rollouts, monitors',
    load: () => commandOf(import('./apply.ts')),
  },
  {
    group: 'Start',
    name: 'status',
    summary: 'Show models, versions, lights and what needs you',
    load: () => commandOf(import('./status.ts')),
  },
  {
    group: 'Start',
    name: 'down',
    summary: 'Stop the server and its gateway',
    load: () => commandOf(import('./down.ts')),
  },
  {
    group: 'Start',
    name: 'doctor',
    summary: 'Check this machine and this folder',
    load: () => commandOf(import('./doctor.ts')),
  },
  {
    group: 'Work',
    name: 'run',
    summary: 'Run stale steps, then gate, register and deploy as the file says',
    load: () => commandOf(import('./run.ts')),
  },
  { group: 'Work', name: 'runs', summary: 'List runs, or show one', load: () => commandOf(import('./runs.ts')) },
  {
    group: 'Work',
    name: 'logs',
    summary: 'Print what a run or a step wrote',
    load: () => commandOf(import('./logs.ts')),
  },
  {
    group: 'Work',
    name: 'data',
    summary: 'Dataset versions: list, add, show, diff, check',
    load: () => commandOf(import('./data.ts')),
  },
  {
    group: 'Ship',
    name: 'models',
    summary: 'List models and versions, or show one',
    load: () => commandOf(import('./models.ts')),
  },
  {
    group: 'Ship',
    name: 'deploy',
    summary: 'Put a version behind an endpoint',
    load: () => commandOf(import('./deploy.ts')),
  },
  {
    group: 'Ship',
    name: 'rollout',
    summary: 'Show a rollout and its evidence; continue, pause or abort it',
    load: () => commandOf(import('./rollout.ts')),
  },
  {
    group: 'Ship',
    name: 'promote',
    summary: 'Finish a rollout now: all traffic to the new version',
    load: () => commandOf(import('./promote.ts')),
  },
  { group: 'Ship', name: 'approve', summary: 'Approve a version', load: () => commandOf(import('./approve.ts')) },
  { group: 'Ship', name: 'reject', summary: 'Reject a version', load: () => commandOf(import('./reject.ts')) },
  {
    group: 'Ship',
    name: 'rollback',
    summary: 'Go back to the previous version, and hold',
    load: () => commandOf(import('./rollback.ts')),
  },
  {
    group: 'Ship',
    name: 'hold',
    summary: 'Hold a model: no retraining, no promotion',
    load: () => commandOf(import('./hold.ts')),
  },
  { group: 'Ship', name: 'resume', summary: 'Lift a hold', load: () => commandOf(import('./resume.ts')) },
  { group: 'Live', name: 'predict', summary: 'Ask an endpoint', load: () => commandOf(import('./predict.ts')) },
  {
    group: 'Live',
    name: 'predictions',
    summary: 'List logged predictions',
    load: () => commandOf(import('./predictions.ts')),
  },
  { group: 'Live', name: 'labels', summary: 'Send labels', load: () => commandOf(import('./labels.ts')) },
  {
    group: 'Live',
    name: 'monitor',
    summary: 'Show the lights of a model, with numbers',
    load: () => commandOf(import('./monitor.ts')),
  },
  { group: 'Live', name: 'alerts', summary: 'List incidents', load: () => commandOf(import('./alerts.ts')) },
  {
    group: 'Live',
    name: 'why',
    summary: 'Say why: a run, step, version, prediction, alert or incident',
    load: () => commandOf(import('./why.ts')),
  },
  { group: 'Live', name: 'ack', summary: 'Acknowledge an incident', load: () => commandOf(import('./ack.ts')) },
  { group: 'Live', name: 'resolve', summary: 'Resolve an incident', load: () => commandOf(import('./resolve.ts')) },
  {
    group: 'Live',
    name: 'fallback',
    summary: 'Answer with the fallback until switched off',
    load: () => commandOf(import('./fallback.ts')),
  },
  {
    group: 'Live',
    name: 'rehearse',
    summary: 'Rehearse a failure on your own model, marked as such',
    load: () => commandOf(import('./rehearse.ts')),
  },
  { group: 'Live', name: 'activity', summary: 'Print the timeline', load: () => commandOf(import('./activity.ts')) },
  {
    group: 'Admin',
    name: 'server',
    summary: 'Run the control plane only',
    load: () => commandOf(import('./server.ts')),
  },
  { group: 'Admin', name: 'gateway', summary: 'Run a gateway only', load: () => commandOf(import('./gateway.ts')) },
  {
    group: 'Admin',
    name: 'config',
    summary: 'Explain levain.yaml, or print its JSON Schema',
    load: () => commandOf(import('./config.ts')),
  },
  { group: 'Admin', name: 'users', summary: 'Add and list users', load: () => commandOf(import('./users.ts')) },
  {
    group: 'Admin',
    name: 'tokens',
    summary: 'Create, list and revoke tokens',
    load: () => commandOf(import('./tokens.ts')),
  },
  {
    group: 'Admin',
    name: 'secret',
    summary: 'Set, list and remove secrets',
    load: () => commandOf(import('./secret.ts')),
  },
  {
    group: 'Admin',
    name: 'login',
    summary: 'Record a server for this folder, and its token for this machine',
    load: () => commandOf(import('./login.ts')),
  },
];
