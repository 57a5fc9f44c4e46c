import { AppError } from '../kernel/errors.ts';
import type { DatasetFilter, ModelOrder } from './logged-models.store.ts';
import { parseFilter, type SearchClause, type SearchSpace } from './search-fields.ts';
import { LOGGED_MODEL_STATUSES } from './types.ts';

/** What logged models can be searched by: MLflow's grammar for `logged-models/search`. */
export const LOGGED_MODEL_SPACE: SearchSpace = {
  entities: { attributes: 'attribute', metrics: 'metric', params: 'parameter', tags: 'tag' },
  entityNames: "['attributes', 'metrics', 'params', 'tags']",
  attributes: {
    name: 'text',
    model_id: 'text',
    model_type: 'text',
    status: 'text',
    source_run_id: 'text',
    artifact_location: 'text',
    experiment_id: 'number',
    creation_time: 'number',
    creation_timestamp: 'number',
    creation_timestamp_ms: 'number',
    last_updated_time: 'number',
    last_updated_timestamp: 'number',
    last_updated_timestamp_ms: 'number',
  },
  orderable: [],
  aliases: {
    creation_time: 'creation_timestamp_ms',
    creation_timestamp: 'creation_timestamp_ms',
    last_updated_time: 'last_updated_timestamp_ms',
    last_updated_timestamp: 'last_updated_timestamp_ms',
  },
  lists: ['name', 'model_id', 'model_type', 'status', 'source_run_id'],
  nullable: [],
};

export const parseLoggedModelFilter = (filter: string | undefined): readonly SearchClause[] =>
  parseFilter(LOGGED_MODEL_SPACE, filter).map(withStatusWord);

export interface OrderInput {
  readonly fieldName: string;
  readonly ascending: boolean;
  readonly datasetName?: string | undefined;
  readonly datasetDigest?: string | undefined;
}

export function parseLoggedModelOrder({ fieldName, ascending, datasetName, datasetDigest }: OrderInput): ModelOrder {
  const dot = fieldName.indexOf('.');
  if (dot < 0) {
    if (!(fieldName in LOGGED_MODEL_SPACE.attributes)) throw invalid(`Invalid order by field name: ${fieldName}`);
    return { entity: 'attribute', key: LOGGED_MODEL_SPACE.aliases[fieldName] ?? fieldName, ascending };
  }
  if (fieldName.slice(0, dot) !== 'metrics') {
    throw invalid(`Invalid order by field name: ${fieldName}. Only metrics are supported.`);
  }
  const dataset: DatasetFilter | undefined = datasetName ? { name: datasetName, digest: datasetDigest } : undefined;
  return { entity: 'metric', key: fieldName.slice(dot + 1), ascending, dataset };
}

/** Clients write the status as its word or, from older ones, as the number of its wire form. */
function withStatusWord(clause: SearchClause): SearchClause {
  if (clause.entity !== 'attribute' || clause.key !== 'status' || typeof clause.value !== 'string') return clause;
  const word = clause.value.replace(/^LOGGED_MODEL_/, '').replace('UPLOAD_FAILED', 'FAILED');
  return { ...clause, value: LOGGED_MODEL_STATUSES[Number(word) - 1] ?? word };
}

const invalid = (message: string): AppError => new AppError('invalid', message);
