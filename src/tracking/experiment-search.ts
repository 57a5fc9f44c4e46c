import { parseFilter, parseOrders, type SearchClause, type SearchOrder, type SearchSpace } from './search-fields.ts';

/** What experiments can be searched by: MLflow's grammar for `experiments/search`. */
export const EXPERIMENT_SPACE: SearchSpace = {
  entities: { attribute: 'attribute', tag: 'tag', tags: 'tag' },
  entityNames: "('attribute', 'tag', 'tags')",
  attributes: { name: 'text', experiment_id: 'text', creation_time: 'number', last_update_time: 'number' },
  orderable: ['name', 'experiment_id', 'creation_time', 'last_update_time'],
  aliases: {},
  lists: ['experiment_id'],
  nullable: ['tag'],
};

export const parseExperimentFilter = (filter: string | undefined): readonly SearchClause[] =>
  parseFilter(EXPERIMENT_SPACE, filter);

export const parseExperimentOrders = (orders: readonly string[]): readonly SearchOrder[] =>
  parseOrders(EXPERIMENT_SPACE, orders);
