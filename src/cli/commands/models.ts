import type { ModelVersionWire, RegisteredModelWire } from '../../registry/wire.ts';
import { addExamples, type CommandContext, type CommandModule, type CommandResult } from '../command.ts';
import { parseModelRef, versionPath } from '../model-ref.ts';

const list: CommandModule = {
  name: 'list',
  group: 'Ship',
  summary: 'List models',
  configure() {},
  async run({ client, out }) {
    const { items } = await client.get<{ items: RegisteredModelWire[] }>('/models');
    const rows = items.map((m) => [
      m.name,
      m.versions,
      m.champion ? `v${m.champion}` : '—',
      m.hold ? 'HELD' : '',
      m.waiting.map((v) => `v${v}`).join(' '),
    ]);
    const text =
      items.length === 0 ? 'No models yet.' : out.table(['MODEL', 'VERSIONS', 'CHAMPION', 'HOLD', 'WAITING'], rows);
    const next = items.length === 0 ? ['levain run'] : [`levain models show ${items[0]!.name}`];
    return { schema: 'models/1', data: items, text, next };
  },
};

const show: CommandModule = {
  name: 'show',
  group: 'Ship',
  summary: "Show a model's versions, or one version",
  configure(command) {
    command.argument('<model>', 'churn, churn@v7 or churn@champion');
    addExamples(command, [
      ['levain models show churn', 'its versions, newest first'],
      ['levain models show churn@v3', 'signature, parity, gate, approval and lineage of one'],
    ]);
  },
  async run(context, [name]) {
    const ref = parseModelRef(name);
    return ref.version === undefined ? showModel(context, ref.model) : showVersion(context, ref);
  },
};

async function showModel({ client, out }: CommandContext, model: string): Promise<CommandResult> {
  const { items } = await client.get<{ items: ModelVersionWire[] }>(`/models/${encodeURIComponent(model)}/versions`);
  const rows = items.map((v) => [
    `v${v.version}`,
    v.aliases.join(' ') || (v.rehearsal ? 'rehearsal' : v.draft ? 'draft' : ''),
    v.gate?.outcome ?? '—',
    v.gate?.challenger?.toFixed(4) ?? '—',
    v.gate?.champion?.toFixed(4) ?? '—',
    v.approval,
    v.createdAt,
  ]);
  const text = out.table(['VERSION', 'ALIASES', 'GATE', 'VALUE', 'AGAINST', 'APPROVAL', 'CREATED'], rows);
  const next = items[0] ? [`levain models show ${model}@v${items[0].version}`] : ['levain run'];
  return { schema: 'model-versions/1', data: items, text, next };
}

async function showVersion({ client }: CommandContext, ref: ReturnType<typeof parseModelRef>): Promise<CommandResult> {
  const version = await client.get<ModelVersionWire>(versionPath(ref));
  const name = `${version.model}@v${version.version}`;
  const waiting = version.approval === 'waiting';
  return {
    schema: 'model-version/1',
    data: version,
    text: describe(version, name),
    next: [waiting ? `levain approve ${name}` : `levain why ${name}`],
  };
}

function describe(version: ModelVersionWire, name: string): string {
  const { gate, parity, engine, decision } = version;
  const inputs = version.signature?.inputs.map((c) => `${c.name} ${c.type}${c.required ? '' : '?'}`).join(', ');
  const lines: [string, string | null | undefined][] = [
    [
      'version',
      `${name}${version.aliases.length ? ` (${version.aliases.join(', ')})` : ''}${version.draft ? ', draft' : ''}`,
    ],
    ['made of', version.madeOf && `v${version.madeOf.version} with a fault, for a rehearsal`],
    ['task', version.task],
    ['raw rows', inputs],
    ['data', version.data.map((d) => `${d.dataset} v${d.version}`).join(', ')],
    ['training rows', version.trainingRows?.toLocaleString('en-US')],
    ['environment', version.environment?.slice(0, 12)],
    ['source', version.source?.slice(0, 12)],
    ['run', version.runId],
    ['engine', engine && `${engine.kind}: ${engine.reason}`],
    [
      'parity',
      parity &&
        `${parity.rows} golden rows, largest difference ${parity.maxDifference.toExponential(1)}, ${parity.flips} labels flip`,
    ],
    ['gate', gate?.sentence],
    [
      'approval',
      `${version.approval}${decision ? ` by ${decision.by}${decision.reason ? `: ${decision.reason}` : ''}` : ''}`,
    ],
    [
      'metrics',
      Object.entries(version.metrics)
        .map(([key, value]) => `${key} ${value.toPrecision(4)}`)
        .join(', '),
    ],
  ];
  return lines.flatMap(([key, value]) => (value ? [`${key.padEnd(14)} ${value}`] : [])).join('\n');
}

export const command: CommandModule = {
  name: 'models',
  group: 'Ship',
  summary: 'List models and versions, or show one',
  configure(cmd) {
    addExamples(cmd, [
      ['levain models', 'all models'],
      ['levain models show churn@v3', 'one version'],
    ]);
  },
  run: (context, args, options) => list.run!(context, args, options),
  subcommands: [list, show],
};
