import { parseFilter, parseOrders, type SearchClause, type SearchOrder, type SearchSpace } from './search-fields.ts';

/** What runs can be searched by: MLflow's grammar for `runs/search`. */
export const RUN_SPACE: SearchSpace = {
  entities: {
    metric: 'metric',
    metrics: 'metric',
    parameter: 'parameter',
    parameters: 'parameter',
    param: 'parameter',
    params: 'parameter',
    tag: 'tag',
    tags: 'tag',
    attribute: 'attribute',
    attributes: 'attribute',
    attr: 'attribute',
    run: 'attribute',
    dataset: 'dataset',
    datasets: 'dataset',
  },
  entityNames: "['metric', 'parameter', 'tag', 'attribute', 'dataset']",
  attributes: {
    run_id: 'text',
    run_name: 'text',
    user_id: 'text',
    status: 'text',
    artifact_uri: 'text',
    start_time: 'number',
    end_time: 'number',
    created: 'number',
    Created: 'number',
    'run name': 'text',
    'Run name': 'text',
    'Run Name': 'text',
  },
  orderable: [
    'run_id',
    'run_name',
    'user_id',
    'status',
    'artifact_uri',
    'start_time',
    'end_time',
    'created',
    'Created',
  ],
  aliases: {
    created: 'start_time',
    Created: 'start_time',
    'run name': 'run_name',
    'Run name': 'run_name',
    'Run Name': 'run_name',
  },
  lists: ['run_id'],
  nullable: ['tag', 'parameter'],
};

export const parseRunFilter = (filter: string | undefined): readonly SearchClause[] => parseFilter(RUN_SPACE, filter);

export const parseRunOrders = (orders: readonly string[]): readonly SearchOrder[] => parseOrders(RUN_SPACE, orders);
