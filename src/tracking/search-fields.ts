import { AppError } from '../kernel/errors.ts';
import { type Clause, type Literal, parseClauses, parseOrder, splitIdentifier } from './search-grammar.ts';

export type Entity = 'metric' | 'parameter' | 'tag' | 'attribute' | 'dataset';

export interface SearchField {
  readonly entity: Entity;
  readonly key: string;
}

/** A clause whose field, comparator and value fit together. A list for IN and NOT IN, null for IS [NOT] NULL. */
export interface SearchClause extends SearchField {
  readonly comparator: Comparator;
  readonly value: string | number | readonly string[] | null;
}

export interface SearchOrder extends SearchField {
  readonly ascending: boolean;
}

export type Comparator =
  | '='
  | '!='
  | '>'
  | '>='
  | '<'
  | '<='
  | 'LIKE'
  | 'ILIKE'
  | 'IN'
  | 'NOT IN'
  | 'IS NULL'
  | 'IS NOT NULL';

/** What may be searched in one kind of thing. Attributes map every name that clients write to our own. */
export interface SearchSpace {
  readonly entities: Readonly<Record<string, Entity>>;
  /** As the error text lists them. */
  readonly entityNames: string;
  readonly attributes: Readonly<Record<string, AttributeKind>>;
  readonly orderable: readonly string[];
  readonly aliases: Readonly<Record<string, string>>;
  /** Attributes that may be compared with a list. */
  readonly lists: readonly string[];
  /** Entities that IS [NOT] NULL is for. */
  readonly nullable: readonly Entity[];
}

export type AttributeKind = 'text' | 'number';

const NUMERIC: readonly string[] = ['>', '>=', '!=', '=', '<', '<='];
const TEXT: readonly string[] = ['!=', '=', 'LIKE', 'ILIKE'];
const DATASET_KEYS = ['name', 'digest', 'context'];

/** Parses and checks a whole filter. Throws `invalid` with MLflow's texts. */
export const parseFilter = (space: SearchSpace, filter: string | undefined): readonly SearchClause[] =>
  filter ? parseClauses(filter).map((clause) => toSearchClause(space, clause)) : [];

/** Parses and checks an `order_by` list; a field named twice is refused. */
export function parseOrders(space: SearchSpace, orders: readonly string[]): readonly SearchOrder[] {
  const parsed = orders.map((text) => {
    const { identifier, ascending } = parseOrder(text);
    const field = toField(space, identifier, space.orderable);
    if (field.entity === 'dataset') throw invalid("Invalid identifier type 'dataset'");
    return { ...field, ascending };
  });
  const names = parsed.map(({ entity, key }) => `${entity}.${key}`);
  if (new Set(names).size < names.length) {
    throw invalid(`\`order_by\` contains duplicate fields: [${orders.map((text) => `'${text}'`).join(', ')}]`);
  }
  return parsed;
}

function toSearchClause(space: SearchSpace, { identifier, comparator, literal }: Clause): SearchClause {
  const field = toField(space, identifier, Object.keys(space.attributes));
  if (literal === null) return nullClause(space, field, comparator as Comparator);
  const value = toValue(space, field, literal);
  const allowed = comparatorsOf(space, field);
  if (!allowed.includes(comparator)) {
    throw invalid(`Invalid comparator '${comparator}' not one of '{${allowed.map((c) => `'${c}'`).join(', ')}}'`);
  }
  if ((comparator === 'IN' || comparator === 'NOT IN') !== Array.isArray(value)) {
    throw invalid(`Invalid comparator '${comparator}' for the value ${literal.raw}`);
  }
  return { ...field, comparator: comparator as Comparator, value };
}

function nullClause(space: SearchSpace, field: SearchField, comparator: Comparator): SearchClause {
  if (!space.nullable.includes(field.entity)) {
    const names = space.nullable.includes('parameter') ? 'tags and params' : 'tags';
    throw invalid(`IS NULL / IS NOT NULL is only supported for ${names}, not for '${field.entity}' '${field.key}'`);
  }
  return { ...field, comparator, value: null };
}

function toField(space: SearchSpace, identifier: string, attributes: readonly string[]): SearchField {
  const { entity: written, key } = splitIdentifier(identifier);
  const entity = written === null ? 'attribute' : space.entities[written];
  if (entity === undefined) {
    throw invalid(`Invalid entity type '${written}'. Valid ${entityWord(space)} are ${space.entityNames}`);
  }
  const known = entity === 'attribute' ? attributes : entity === 'dataset' ? DATASET_KEYS : null;
  if (known && !known.includes(key)) {
    throw invalid(
      `Invalid ${entity} key '${key}' specified. Valid keys are '{${known.map((k) => `'${k}'`).join(', ')}}'`,
    );
  }
  return { entity, key: entity === 'attribute' ? (space.aliases[key] ?? key) : key };
}

const entityWord = (space: SearchSpace): string => (space.entityNames.startsWith('(') ? 'entity types' : 'values');

const isNumeric = (space: SearchSpace, { entity, key }: SearchField): boolean =>
  entity === 'metric' || (entity === 'attribute' && space.attributes[key] === 'number');

function comparatorsOf(space: SearchSpace, field: SearchField): readonly string[] {
  if (isNumeric(space, field)) return NUMERIC;
  const takesLists = field.entity === 'dataset' || (field.entity === 'attribute' && space.lists.includes(field.key));
  return takesLists ? [...TEXT, 'IN', 'NOT IN'] : TEXT;
}

function toValue(space: SearchSpace, field: SearchField, literal: Literal): string | number | readonly string[] {
  const { entity, key } = field;
  if (isNumeric(space, field)) {
    if (literal.kind === 'number') return literal.value;
    const what = entity === 'metric' ? 'metric. Found' : `numeric attribute: ${key}. Found`;
    throw invalid(`Expected numeric value type for ${what} ${literal.raw}`);
  }
  if (literal.kind === 'string') return literal.text;
  if (literal.kind === 'list') return toList(space, field, literal.values);
  if (literal.kind === 'word') {
    throw invalid(
      `Parameter value is either not quoted or unidentified quote types used for string value ${literal.raw}. Use either single or double quotes.`,
    );
  }
  if (entity === 'attribute') {
    throw invalid(`Expected a quoted string value for attributes. Got value ${literal.raw}`);
  }
  if (entity === 'dataset') {
    throw invalid(`Expected a quoted string value for dataset attributes. Got value ${literal.raw}`);
  }
  throw invalid(`Expected a quoted string value for ${entity} (e.g. 'my-value'). Got value ${literal.raw}`);
}

function toList(space: SearchSpace, { entity, key }: SearchField, values: readonly string[]): readonly string[] {
  if (entity === 'dataset') return values;
  if (entity === 'attribute' && space.lists.includes(key)) return values;
  const names = `[${space.lists.map((name) => `'${name}'`).join(', ')}]`;
  throw invalid(`Only ${names} attributes support comparison with a list of quoted string values.`);
}

const invalid = (message: string): AppError => new AppError('invalid', message);
