import { recordActivity } from '../../identity/index.ts';
import { AppError } from '../../kernel/errors.ts';
import { listApplied } from '../../pipelines/index.ts';
import type { NotifyTarget } from '../../ports/system.ts';
import type { NotifySection } from '../../project-file/index.ts';
import type { Actor } from '../../wire/route.ts';
import type { MonitoringDeps } from '../types.ts';

/** One target of `notify` in an applied file. Its address may be a secret and is never told. */
export interface NotifierView {
  readonly pipeline: string;
  readonly name: string;
  readonly kind: NotifyTarget['kind'];
  /** The secret that its address is; null where the file has the address itself. */
  readonly secret: string | null;
  /** Whether it can be written to: its secret is set. */
  readonly isSet: boolean;
  /** What `monitor.to` sends there. */
  readonly gets: readonly ('page' | 'ticket')[];
}

/** Targets of every applied file. What no file names goes to the server's log. */
export async function listNotifiers(
  deps: MonitoringDeps,
  actor: Pick<Actor, 'projectId'>,
): Promise<readonly NotifierView[]> {
  const views: NotifierView[] = [];
  for (const { pipeline, file } of await listApplied(deps.pipelines, actor.projectId))
    for (const [name, section] of Object.entries(file.notify)) {
      const secret = secretOf(section);
      const { page, ticket } = file.monitor.to;
      views.push({
        pipeline,
        name,
        kind: section.kind,
        secret,
        isSet: secret === null || (await deps.secrets.find(secret)) !== undefined,
        gets: [...(page === name ? (['page'] as const) : []), ...(ticket === name ? (['ticket'] as const) : [])],
      });
    }
  return views;
}

/** Sends a message that says it is a test. Throws `unavailable` with what the target said, `precondition_failed` without its secret. */
export async function testNotifier(
  deps: MonitoringDeps,
  actor: Actor,
  input: { readonly pipeline: string; readonly name: string },
): Promise<{ readonly sent: true; readonly kind: NotifyTarget['kind'] }> {
  const applied = (await listApplied(deps.pipelines, actor.projectId)).find((each) => each.pipeline === input.pipeline);
  const section = applied?.file.notify[input.name];
  if (!section)
    throw new AppError(
      'not_found',
      `The applied file of "${input.pipeline}" has no target "${input.name}" under notify`,
      { hint: 'levain apply' },
    );
  await deps.notifier.send(await toTarget(deps, section), {
    key: `${actor.projectId}/test/${input.pipeline}/${input.name}`,
    severity: 'info',
    title: `Test of "${input.name}": messages of ${input.pipeline} arrive here`,
    text: `Sent by ${actor.user} to see whether it arrives. Nothing is wrong.`,
    url: `${deps.serverUrl()}/settings`,
  });
  await deps.db.write((tx) =>
    recordActivity(tx, deps.identity, {
      projectId: actor.projectId,
      at: deps.clock.now(),
      kind: 'admin',
      subject: input.pipeline,
      sentence: `${actor.user} sent a test message to ${input.name} (${section.kind}) of ${input.pipeline}`,
      actor: actor.user,
    }),
  );
  return { sent: true, kind: section.kind };
}

const secretOf = ({ address }: NotifySection): string | null => (address.startsWith('$') ? address.slice(1) : null);

async function toTarget(deps: Pick<MonitoringDeps, 'secrets'>, section: NotifySection): Promise<NotifyTarget> {
  const secret = secretOf(section);
  if (secret === null) return section;
  const address = await deps.secrets.find(secret);
  if (address !== undefined) return { ...section, address };
  throw new AppError('precondition_failed', `Its address is the secret ${secret}, which is not set`, {
    hint: `levain secret set ${secret}`,
  });
}
