import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExperimentFilter } from './experiment-search.ts';
import { parseRunFilter, parseRunOrders } from './run-search.ts';

/** Known answers of mlflow 3.17.2's own parser (mlflow.utils.search_utils.SearchUtils). */
const ACCEPTED: readonly [string, readonly (readonly [string, string, string, unknown])[]][] = [
  [
    "metrics.acc > 0.9 and params.lr = '0.1'",
    [
      ['metric', 'acc', '>', 0.9],
      ['parameter', 'lr', '=', '0.1'],
    ],
  ],
  ['metrics."my acc" >= 1e-3', [['metric', 'my acc', '>=', 0.001]]],
  ["params.`a b` LIKE 'x%'", [['parameter', 'a b', 'LIKE', 'x%']]],
  ["tags.mlflow.user = 'me'", [['tag', 'mlflow.user', '=', 'me']]],
  [
    "status='FINISHED' AND start_time > 5",
    [
      ['attribute', 'status', '=', 'FINISHED'],
      ['attribute', 'start_time', '>', 5],
    ],
  ],
  ["attributes.run_id IN ('a', 'b')", [['attribute', 'run_id', 'IN', ['a', 'b']]]],
  ["run_id not in ('a')", [['attribute', 'run_id', 'NOT IN', ['a']]]],
  ['tags.x IS NULL', [['tag', 'x', 'IS NULL', null]]],
  [
    'tags.x is not null AND params.y is null',
    [
      ['tag', 'x', 'IS NOT NULL', null],
      ['parameter', 'y', 'IS NULL', null],
    ],
  ],
  ['metrics.a > -1.5', [['metric', 'a', '>', -1.5]]],
  ["datasets.name IN ('a')", [['dataset', 'name', 'IN', ['a']]]],
  ["dataset.context = 'train'", [['dataset', 'context', '=', 'train']]],
  ['metrics.a>1 and', [['metric', 'a', '>', 1]]],
  [
    'metrics.a > 1 metrics.b > 2',
    [
      ['metric', 'a', '>', 1],
      ['metric', 'b', '>', 2],
    ],
  ],
  ["params.a = 'it''s'", [['parameter', 'a', '=', "it''s"]]],
  ['params."a" = "b"', [['parameter', 'a', '=', 'b']]],
  ['`metrics`.a > 1', [['metric', 'a', '>', 1]]],
  [
    "tag.a like 'X%' and tag.b ilike 'y'",
    [
      ['tag', 'a', 'LIKE', 'X%'],
      ['tag', 'b', 'ILIKE', 'y'],
    ],
  ],
  ["attributes.`Run Name` = 'x'", [['attribute', 'run_name', '=', 'x']]],
  ['end_time >= 12.5', [['attribute', 'end_time', '>=', 12.5]]],
  ["params.order = '1'", [['parameter', 'order', '=', '1']]],
  ['metrics.a > .5', [['metric', 'a', '>', 0.5]]],
  ["run.status != 'x'", [['attribute', 'status', '!=', 'x']]],
  ["params.a.b = '1'", [['parameter', 'a.b', '=', '1']]],
];

for (const [filter, expected] of ACCEPTED) {
  test(`the run filter ${filter} means what mlflow means by it`, () => {
    const clauses = parseRunFilter(filter).map(({ entity, key, comparator, value }) => [
      entity,
      key,
      comparator,
      value,
    ]);
    assert.deepEqual(clauses, expected);
  });
}

const REFUSED: readonly [string, string][] = [
  ['a or b', "Invalid clause(s) in filter string: 'a', 'or', 'b'"],
  ['metrics.a > 1 or metrics.b > 2', "Invalid clause(s) in filter string: 'or'"],
  ['metric.a = "a"', 'Expected numeric value type for metric. Found "a"'],
  ["foo.a = 'x'", "Invalid entity type 'foo'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"],
  ['params.a = 5', "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 5"],
  [
    'params.a = x',
    'Parameter value is either not quoted or unidentified quote types used for string value x. Use either single or double quotes.',
  ],
  ['(metrics.a > 1)', "Invalid clause(s) in filter string: '(metrics.a > 1)'"],
  [
    'metrics.a > 1; metrics.b>2',
    "Search filter contained multiple expression 'metrics.a > 1; metrics.b>2'. Provide AND-ed expression list.",
  ],
  ["attributes.status IN ('a')", "Only ['run_id'] attributes support comparison with a list of quoted string values."],
  ['metrics.a', "Invalid clause(s) in filter string: 'metrics.a'"],
  [
    'attributes.run_id IN ()',
    'While parsing a list in the query, expected a non-empty list of string values, but got empty list',
  ],
  ["params.a-b = 'x'", "Invalid comparison clause. Expected 'Identifier' found 'params.a-b'"],
  ['metrics.val/loss < 3', "Invalid comparison clause. Expected 'Identifier' found 'metrics.val/loss'"],
  ["'Run name' = 'x'", "Invalid comparison clause. Expected 'Identifier' found ''Run name''"],
  ['metrics.a IS NULL', "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'a'"],
  ["NOT params.x = 'a'", "Invalid clause(s) in filter string: 'NOT'"],
  ['metrics.a > Infinity', 'Expected numeric value type for metric. Found Infinity'],
  ['metrics.a >1AND metrics.b<2', 'Expected numeric value type for metric. Found 1AND'],
];

for (const [filter, message] of REFUSED) {
  test(`the run filter ${filter} is refused as mlflow refuses it`, () => {
    assert.throws(() => parseRunFilter(filter), { code: 'invalid', message });
  });
}

test('a comparator that no field takes is refused by name', () => {
  for (const filter of ['metrics.a == 1', 'metrics.a <> 1', "params.a ~ 'x'", "tags.a > 'x'"]) {
    assert.throws(() => parseRunFilter(filter), /^AppError: Invalid comparator '/);
  }
});

test('orders carry their direction, aliases and quoted keys', () => {
  assert.deepEqual(parseRunOrders(['metrics.`a b` desc', 'Created', 'attributes.run_name ASC']), [
    { entity: 'metric', key: 'a b', ascending: false },
    { entity: 'attribute', key: 'start_time', ascending: true },
    { entity: 'attribute', key: 'run_name', ascending: true },
  ]);
});

test('an order that cannot be read, or stands twice, is refused', () => {
  assert.throws(() => parseRunOrders(['metrics.a foo']), {
    message: "Invalid ordering key in order_by clause 'metrics.a foo'.",
  });
  assert.throws(() => parseRunOrders(['tag.a, tag.b']), {
    message: "Invalid order_by clause 'tag.a, tag.b'. Could not be parsed.",
  });
  assert.throws(() => parseRunOrders(['tag.a', 'tags.a DESC']), /contains duplicate fields/);
});

test('experiments are searched by their own fields', () => {
  assert.equal(parseExperimentFilter("name LIKE 'a%' AND tags.team = 'x'").length, 2);
  assert.throws(() => parseExperimentFilter('metrics.a > 1'), {
    message: "Invalid entity type 'metrics'. Valid entity types are ('attribute', 'tag', 'tags')",
  });
});
