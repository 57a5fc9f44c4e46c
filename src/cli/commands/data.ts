import type {
  CheckResult,
  ColumnProfile,
  DatasetVersionWire,
  DatasetWire,
  VersionDiff,
  VersionSummaryWire,
} from '../../data/index.ts';
import { hasProjectFile, PROJECT_FILE, readProjectFile } from '../apply.ts';
import { addExamples, type CommandContext, type CommandModule, type CommandResult, EXIT, usage } from '../command.ts';

const MAX_SHOWN_ROWS = 5;

const list: CommandModule = {
  name: 'list',
  group: 'Work',
  summary: 'List datasets and their newest versions',
  configure() {},
  async run({ client, out }) {
    const { items } = await client.get<{ items: DatasetWire[] }>('/datasets');
    const rows = items.map(({ name, latest, refused }) => {
      const shown = latest ?? refused;
      return [
        name,
        latest ? `v${latest.version}` : '—',
        number(shown?.rowCount),
        shown?.columnCount ?? 0,
        size(shown?.sizeBytes ?? 0),
        refused ? `v${refused.version} REFUSED` : 'ok',
        shown?.createdAt ?? '',
      ];
    });
    const text =
      items.length === 0
        ? 'No datasets yet.'
        : out.table(['DATASET', 'VERSION', 'ROWS', 'COLUMNS', 'SIZE', 'CONTRACT', 'CREATED'], rows);
    const next = items[0] ? [`levain data show ${items[0].name}`] : ['levain data add NAME'];
    return { schema: 'datasets/1', data: items, text, next };
  },
};

const add: CommandModule = {
  name: 'add',
  group: 'Work',
  summary: 'Look at a source now: new files make a new version',
  configure(cmd) {
    cmd.argument('<name>', 'a dataset of levain.yaml');
    addExamples(cmd, [
      ['levain data add churn', 'version the files of data.churn.from, profile them, check the contract'],
    ]);
  },
  async run(context, [name]) {
    const { created, version } = await sync(context, (await projectFileHere(context.cwd)).text, String(name));
    const head = created ? sentence(version) : `${sentence(version)} (the same files as before: no new version)`;
    return { ...outcome(context, [version], head), schema: 'dataset-version/1', data: { created, version } };
  },
};

const check: CommandModule = {
  name: 'check',
  group: 'Work',
  summary: 'Check the contract of every dataset, or of one, on its files as they are now',
  configure(cmd) {
    cmd.argument('[name]', 'a dataset of levain.yaml; without it, all');
    addExamples(cmd, [['levain data check', 'exit 9 where a contract is broken, with the rows that broke it']]);
  },
  async run(context, [name]) {
    const { text, file } = await projectFileHere(context.cwd);
    const names = name === undefined ? Object.keys(file.data) : [String(name)];
    if (names.length === 0) throw usage('levain.yaml has no "data" section; add one to check', 'levain config explain');
    const versions: DatasetVersionWire[] = [];
    for (const each of names) {
      context.out.progress(`checking ${each}`);
      versions.push((await sync(context, text, each)).version);
    }
    return {
      ...outcome(context, versions, versions.map(sentence).join('\n')),
      schema: 'data-check/1',
      data: versions.map(({ dataset, version, state, contract }) => ({ dataset, version, state, contract })),
    };
  },
};

/** The folder's file, checked; without one, says what to do. */
export async function projectFileHere(folder: string) {
  if (await hasProjectFile(folder)) return readProjectFile(folder);
  throw usage(
    `There is no ${PROJECT_FILE} in ${folder}; change to the project's folder, or let levain adopt write one`,
    'levain adopt',
  );
}

const sync = (context: CommandContext, text: string, name: string) =>
  context.client.post<{ created: boolean; version: DatasetVersionWire }>(
    `/datasets/${encodeURIComponent(name)}/sync`,
    { text, folder: context.cwd },
    { signal: context.signal },
  );

/** What was checked, for people; exit 9 where a contract is broken. */
function outcome(
  { out }: CommandContext,
  versions: readonly DatasetVersionWire[],
  head: string,
): Pick<CommandResult, 'text' | 'next' | 'exitCode'> {
  const refused = versions.filter((version) => version.state === 'refused');
  const reports = versions
    .filter((version) => version.contract.checks.length > 0)
    .map((version) => contractText(out, version));
  const first = refused[0] ?? versions[0];
  return {
    text: [head, ...reports].join('\n\n'),
    next: first
      ? [`levain data show ${first.dataset}@v${first.version}`, ...(refused.length === 0 ? ['levain run'] : [])]
      : [],
    ...(refused.length > 0 && { exitCode: EXIT.contractBroken }),
  };
}

const show: CommandModule = {
  name: 'show',
  group: 'Work',
  summary: "Show a version: its columns, its contract's report, its files",
  configure(cmd) {
    cmd.argument('<version>', 'churn (its newest good version) or churn@v3');
    addExamples(cmd, [['levain data show churn@v3', 'profile and contract report of one version']]);
  },
  async run({ client, out }, [reference]) {
    const { name, version } = parseRef(String(reference));
    const path = `/datasets/${encodeURIComponent(name)}/versions`;
    const shown = await client.get<DatasetVersionWire>(`${path}/${version ?? 'latest'}`);
    const { items } = await client.get<{ items: VersionSummaryWire[] }>(path, { query: { limit: 10 } });
    const parts = [
      sentence(shown),
      `${shown.source}, ${size(shown.sizeBytes)}, ${shown.createdAt}${shown.timeRange ? `, ${shown.timeRange.column} ${shown.timeRange.min} … ${shown.timeRange.max}` : ''}`,
      out.table(
        ['COLUMN', 'TYPE', 'MISSING', 'DISTINCT', 'MIN', 'MEDIAN', 'MAX', 'MEAN', 'MOST FREQUENT'],
        shown.profile.columns.map((column) => profileRow(column, shown.rowCount)),
      ),
      ...(shown.contract.checks.length > 0 ? [contractText(out, shown)] : []),
      `versions: ${items.map((item) => `v${item.version}${item.state === 'refused' ? ' (refused)' : ''}`).join(', ')}`,
    ];
    const other = items.find((item) => item.version < shown.version);
    const next = other ? [`levain data diff ${name}@v${other.version} ${name}@v${shown.version}`] : ['levain run'];
    return { schema: 'dataset-version/1', data: shown, text: parts.join('\n\n'), next };
  },
};

const diff: CommandModule = {
  name: 'diff',
  group: 'Work',
  summary: 'Compare two versions: files, schema, rows, statistics',
  configure(cmd) {
    cmd.argument('<from>', 'churn@v3').argument('<to>', 'churn@v4');
    addExamples(cmd, [['levain data diff churn@v3 churn@v4', 'what changed from v3 to v4']]);
  },
  async run({ client, out }, [from, to]) {
    const data = await client.get<VersionDiff>('/data-diff', { query: { from: String(from), to: String(to) } });
    const name = ({ dataset, version }: VersionDiff['to']): string => `${dataset}@v${version}`;
    return { schema: 'data-diff/1', data, text: diffText(out, data), next: [`levain data show ${name(data.to)}`] };
  },
};

function diffText(out: CommandContext['out'], data: VersionDiff): string {
  const { files, schema, rows, columns } = data;
  const named = (label: string, names: readonly string[]): string[] =>
    names.length === 0
      ? []
      : [`${label}: ${names.slice(0, 10).join(', ')}${names.length > 10 ? `, and ${names.length - 10} more` : ''}`];
  const grown = rows.to - rows.from;
  const head = [
    `rows: ${number(rows.from)} → ${number(rows.to)} (${grown >= 0 ? '+' : '−'}${number(Math.abs(grown))})`,
    ...named('files added', files.added),
    ...named('files removed', files.removed),
    ...named('files changed', files.changed),
    ...named(
      'files moved',
      files.moved.map((move) => `${move.from} → ${move.to}`),
    ),
    ...named('columns added', schema.added),
    ...named('columns removed', schema.removed),
    ...named(
      'columns retyped',
      schema.retyped.map((change) => `${change.name} ${change.from} → ${change.to}`),
    ),
  ];
  const table = columns.map((column) => [
    column.name,
    `${percent(column.nullShare.from)} → ${percent(column.nullShare.to)}`,
    `${number(column.distinct.from)} → ${number(column.distinct.to)}`,
    column.mean ? `${short(column.mean.from)} → ${short(column.mean.to)}` : '',
    column.meanInSd === null ? '' : `${column.meanInSd >= 0 ? '+' : '−'}${Math.abs(column.meanInSd).toFixed(2)} sd`,
    column.share ? `${column.share.value} ${percent(column.share.from)} → ${percent(column.share.to)}` : '',
  ]);
  return `${head.join('\n')}\n\n${out.table(['COLUMN', 'MISSING', 'DISTINCT', 'MEAN', 'MOVE', 'LARGEST SHARE MOVE'], table)}`;
}

function profileRow(column: ColumnProfile, rows: number): readonly unknown[] {
  const { number: stats, time, top } = column;
  const most = top[0] ? `${top[0].value} ${percent(top[0].count / Math.max(1, rows))}` : '';
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
  const range = stats
    ? [short(stats.min), short(stats.quantiles[3] ?? Number.NaN), short(stats.max), short(stats.mean)]
    : time
      ? [day(time.min), '', day(time.max), '']
      : ['', '', '', ''];
  return [column.name, column.kind, percent(column.nulls / Math.max(1, rows)), number(column.distinct), ...range, most];
}

function contractText(out: CommandContext['out'], { dataset, contract }: DatasetVersionWire): string {
  const told = contract.checks.filter((check) => !check.success || check.check !== 'expect_column_to_exist');
  const rows = told.map((check) => [
    check.success ? 'ok' : check.severity === 'warn' ? 'warning' : 'BROKEN',
    check.sentence,
  ]);
  const broken = contract.checks
    .filter((check) => !check.success && check.rows.length > 0)
    .map((check) => rowsText(out, check));
  return [out.table(['CONTRACT', `of ${dataset}`], rows), ...broken].join('\n\n');
}

/** The rows that broke a promise, with file and row. */
function rowsText(out: CommandContext['out'], check: CheckResult): string {
  const known = Object.keys(check.rows[0]?.values ?? {});
  const columns = [
    ...known.filter((name) => name === check.column),
    ...known.filter((name) => name !== check.column),
  ].slice(0, 6);
  const rows = check.rows
    .slice(0, MAX_SHOWN_ROWS)
    .map(({ file, row, values }) => [file, row, ...columns.map((column) => values[column] ?? '')]);
  const more = check.failing > rows.length ? `\n… ${number(check.failing - rows.length)} more` : '';
  return `${check.sentence}\n${out.table(['FILE', 'ROW', ...columns], rows)}${more}`;
}

function sentence(version: DatasetVersionWire): string {
  const { dataset, state, contract, rowCount, files } = version;
  const name = `${dataset}@v${version.version}: ${number(rowCount)} rows, ${files.length} file${files.length === 1 ? '' : 's'}`;
  const broken = contract.checks.filter((check) => !check.success && check.severity === 'error').length;
  if (state === 'refused')
    return `${name}; contract BROKEN (${broken} of ${contract.checks.length} checks): no run uses it`;
  return contract.checks.length === 0
    ? `${name}; no contract`
    : `${name}; contract kept (${contract.checks.length} check${contract.checks.length === 1 ? '' : 's'})`;
}

function parseRef(text: string): { name: string; version: string | undefined } {
  const match = /^([^@\s]{1,100})(?:@(v?[1-9]\d{0,8}|latest))?$/.exec(text);
  if (!match) throw usage(`"${text}" is not a dataset version; write churn or churn@v3`, 'levain data list');
  return { name: match[1]!, version: match[2] };
}

const number = (value: number | undefined): string => (value === undefined ? '—' : value.toLocaleString('en-US'));
const percent = (share: number): string => `${Number((share * 100).toPrecision(3))}%`;
const short = (value: number): string => String(Number(value.toPrecision(5)));

function size(bytes: number): string {
  const power = Math.min(4, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${Number((bytes / 2 ** (10 * power)).toPrecision(3))} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

export const command: CommandModule = {
  name: 'data',
  group: 'Work',
  summary: 'Dataset versions: list, add, show, diff, check',
  configure(cmd) {
    addExamples(cmd, [
      ['levain data', 'all datasets'],
      ['levain data add churn', 'version the files as they are now'],
      ['levain data check', 'check every contract; exit 9 where one is broken'],
    ]);
  },
  run: (context, args, options) => list.run!(context, args, options),
  subcommands: [list, add, show, diff, check],
};
