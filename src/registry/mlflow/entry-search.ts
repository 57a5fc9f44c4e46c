import { type SearchClause, type SearchOrder, type SearchSpace, textMatches } from '../../tracking/index.ts';
import type { ModelEntry, VersionEntry } from './types.ts';

/** Prompts are registered models with this tag; they are hidden from searches that do not ask for them. */
export const PROMPT_TAG = 'mlflow.prompt.is_prompt';

const TAGS = { tag: 'tag', tags: 'tag', attribute: 'attribute', attributes: 'attribute' } as const;

export const MODEL_SPACE: SearchSpace = {
  entities: TAGS,
  entityNames: "('attribute', 'tag', 'tags')",
  attributes: { name: 'text' },
  orderable: ['name', 'timestamp', 'last_updated_timestamp'],
  aliases: {},
  lists: [],
  nullable: [],
};

export const VERSION_SPACE: SearchSpace = {
  entities: TAGS,
  entityNames: "('attribute', 'tag', 'tags')",
  attributes: { name: 'text', version_number: 'number', run_id: 'text', source_path: 'text' },
  orderable: ['name', 'version_number', 'creation_timestamp', 'last_updated_timestamp'],
  aliases: {},
  lists: ['name', 'run_id'],
  nullable: [],
};

/** Registries are small: their entries are matched here, in one way for both databases. */
export function matchesAll(entry: ModelEntry | VersionEntry, clauses: readonly SearchClause[]): boolean {
  const asksForPrompts = clauses.some(({ entity, key }) => entity === 'tag' && key === PROMPT_TAG);
  if (!asksForPrompts && tagOf(entry, PROMPT_TAG) === 'true') return false;
  return clauses.every((clause) => matchesOne(entry, clause));
}

function matchesOne(entry: ModelEntry | VersionEntry, clause: SearchClause): boolean {
  const value = valueOfField(entry, clause.entity, clause.key);
  if (clause.entity === 'tag' && clause.key === PROMPT_TAG) return textMatches(clause, String(value ?? 'false'));
  if (value === undefined || value === null) return false;
  if (typeof value === 'number') return compareNumbers(clause.comparator, value, Number(clause.value));
  return textMatches(clause, value);
}

/** By the caller's orders, then by `otherwise`. */
export function sortEntries<E extends ModelEntry | VersionEntry>(
  entries: readonly E[],
  orders: readonly SearchOrder[],
  otherwise: (a: E, b: E) => number,
): readonly E[] {
  return [...entries].sort((a, b) => {
    for (const { entity, key, ascending } of orders) {
      const order = compare(valueOfField(a, entity, key), valueOfField(b, entity, key));
      if (order !== 0) return ascending ? order : -order;
    }
    return otherwise(a, b);
  });
}

type Value = string | number | null | undefined;

function valueOfField(entry: ModelEntry | VersionEntry, entity: string, key: string): Value {
  if (entity === 'tag') return tagOf(entry, key);
  const version = 'version' in entry ? entry : undefined;
  const values: Readonly<Record<string, Value>> = {
    name: entry.name,
    timestamp: entry.updatedAt,
    last_updated_timestamp: entry.updatedAt,
    creation_timestamp: entry.createdAt,
    version_number: version?.version,
    run_id: version?.runId,
    source_path: version?.source,
  };
  return values[key];
}

const tagOf = (entry: ModelEntry | VersionEntry, key: string): string | undefined =>
  entry.tags.find((tag) => tag.key === key)?.value;

function compare(a: Value, b: Value): number {
  if (a === b) return 0;
  if (a === undefined || a === null) return 1;
  if (b === undefined || b === null) return -1;
  return a < b ? -1 : 1;
}

function compareNumbers(comparator: string, a: number, b: number): boolean {
  switch (comparator) {
    case '=':
      return a === b;
    case '!=':
      return a !== b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '<':
      return a < b;
    default:
      return a <= b;
  }
}
