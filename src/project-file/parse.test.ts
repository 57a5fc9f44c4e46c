import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isAppError } from '../kernel/errors.ts';
import {
  explain,
  jsonSchema,
  parseProjectFile,
  projectFileDigest,
  setKey,
  stepEdges,
  stepOrder,
  writeProjectFile,
} from './index.ts';
import { editDistance } from './nearest.ts';

const SMALL = `name: churn
data:  { churn: { from: churn.csv, key: customerID } }
steps: { train: { notebook: churn.ipynb } }
model: { from: train.clf, features: features.py, target: { column: Churn, positive: "Yes" } }
`;

const WHOLE = `name: churn
python: { lock: requirements.lock }
data:
  churn:
    from: churn.csv
    as: churn.parquet
    key: customerID
    time: snapshot_date
    window: 90d
    expect:
      tenure: { type: number, nulls: 0, between: [0, 120] }
      plan:   { type: category, max_new: 3 }
  outcomes: { from: outcomes/*.csv, key: customerID }
params: { learning_rate: 0.1, seed: 7 }
steps:
  prepare: { run: python prepare.py, in: [data:churn, prepare.py], out: [clean.parquet] }
  train:   { notebook: train.ipynb, in: clean.parquet, retry: 2, timeout: 30m, resources: { cpu: 2, memory: 4G } }
model:
  from: train.clf
  features: features.py
  task: binary
  target: { column: delay, positive: "> 15", threshold: 0.5 }
  entity: customerID
  gate: { rows: newest 20%, metric: { name: profit, better: higher }, pass: { not_worse: 0.005 }, slices: [plan] }
  approve: { first: human, retrain: auto, by: approver, within: 48h, then: keep_champion }
deploy:
  churn:
    rollout: { canary: [5, 25, 50] }
    event_time: client
    abort_on: { error_rate: 1%, latency_p99: 100ms }
    fallback: v6
environments:
  staging: { endpoint: churn-staging, rollout: direct }
monitor:
  labels: { data: outcomes, join: entity, column: churned, at: churned_on, horizon: 30d }
  metrics: [log_loss, auc]
  false_alarms: 1/90d
  page: [service, data, performance]
  to: { page: oncall, ticket: team }
notify: { oncall: { pagerduty: $PD_KEY }, team: { slack: $SLACK_URL } }
triggers: [ { cron: "0 3 * * *" }, { data: churn }, { alert: performance } ]
`;

/** The message of the refusal, or a failed test. */
function refusal(text: string): string {
  try {
    parseProjectFile(text, 'levain.yaml');
  } catch (error) {
    assert.ok(isAppError(error, 'invalid'), `not an AppError: ${(error as Error).stack}`);
    return error.message;
  }
  throw new assert.AssertionError({ message: `accepted:\n${text}` });
}

describe('a right file', () => {
  test('the four lines that adopt writes amount to a whole project', () => {
    const file = parseProjectFile(SMALL, '/home/ann/churn/levain.yaml');
    assert.deepEqual(file.model?.from, { kind: 'variable', step: 'train', variable: 'clf' });
    assert.deepEqual(file.model?.gate, {
      rows: { kind: 'notebook' },
      metric: 'log_loss',
      pass: { kind: 'better' },
      slices: [],
    });
    assert.equal(file.model?.entity, 'customerID');
    assert.deepEqual(Object.keys(file.deploy), ['churn']);
    assert.deepEqual(file.deploy['churn']?.rollout, { kind: 'auto', atMostMs: 864e5 });
    assert.equal(file.data['churn']?.as, 'churn.csv');
    assert.deepEqual(file.monitor.falseAlarms, { count: 1, perMs: 90 * 864e5 });
  });

  test('the whole grammar is read into milliseconds, shares, bytes and choices', () => {
    const file = parseProjectFile(WHOLE, 'levain.yaml');
    assert.equal(file.data['churn']?.windowMs, 90 * 864e5);
    assert.equal(file.data['outcomes']?.as, 'outcomes/');
    assert.deepEqual(file.data['churn']?.expect['tenure']?.between, [0, 120]);
    assert.equal(file.steps['train']?.retry.max, 2);
    assert.equal(file.steps['train']?.resources.memoryBytes, 4 * 2 ** 30);
    assert.deepEqual(file.model?.target?.positive, { op: '>', value: 15 });
    assert.deepEqual(file.model?.gate.pass, { kind: 'not_worse', margin: 0.005 });
    assert.deepEqual(file.deploy['churn']?.rollout, { kind: 'canary', steps: [0.05, 0.25, 0.5] });
    assert.deepEqual(file.deploy['churn']?.abortOn, { errorRate: 0.01, latencyP99Ms: 100 });
    assert.deepEqual(file.deploy['churn']?.fallback, { kind: 'version', version: 6 });
    assert.deepEqual(
      file.triggers.map((trigger) => trigger.kind),
      ['cron', 'data', 'alert'],
    );
    assert.deepEqual(file.notify['oncall'], { kind: 'pagerduty', address: '$PD_KEY' });
  });

  test('an empty file is a project named after its folder', () => {
    assert.equal(parseProjectFile('', '/home/ann/My Churn!/levain.yaml').name, 'my-churn');
    assert.equal(parseProjectFile('# nothing yet\n', 'levain.yaml').name, 'project');
  });

  test('newest rows need a time column; without one the gate goes by hash of key', () => {
    const gate = (data: string) =>
      parseProjectFile(
        `data: { d: { from: d.csv${data} } }\nsteps: { t: { run: x } }\nmodel: { from: t, gate: { rows: newest 10% } }`,
        'p/levain.yaml',
      ).model?.gate.rows;
    assert.deepEqual(gate(', time: at'), { kind: 'newest', share: 0.1 });
    assert.deepEqual(gate(''), { kind: 'hash', share: 0.1 });
  });

  test('comments and the order of sections do not change the digest, values do', () => {
    const digest = (text: string) => projectFileDigest(parseProjectFile(text, 'p/levain.yaml'));
    const reordered = SMALL.trim().split('\n').toReversed().join(' # note\n');
    assert.equal(digest(reordered), digest(SMALL));
    assert.notEqual(digest(SMALL.replace('"Yes"', '"No"')), digest(SMALL));
  });

  test('steps wait for what puts out their inputs, and for their needs', () => {
    const { steps } = parseProjectFile(
      'steps:\n  c: { run: c, needs: b }\n  b: { run: b, in: [out/x.csv] }\n  a: { run: a, out: out }\n',
      'p/levain.yaml',
    );
    assert.deepEqual(stepEdges(steps), { c: ['b'], b: ['a'], a: [] });
    assert.deepEqual(stepOrder(steps), ['a', 'b', 'c']);
  });
});

/** Each: the file, and what its refusal must say. */
const WRONG: readonly (readonly [string, RegExp])[] = [
  ['name: x\nstpes: {}', /^levain\.yaml:2: key "stpes" is unknown; did you mean "steps"\?$/],
  ['python: { version: 3.10 }', /:1: python\.version is the number 3\.1, not text; quote it: version: "3\.10"/],
  ['on: [push]', /"on" is never a key.*"triggers"/],
  ['deploy: { on: {} }', /"on" is never a name/],
  ['name: a\nname: b', /:2: key "name" stands twice/],
  ['\tname: x', /:1: a tab/],
  ['name: [', /:1: not valid YAML/],
  ['name: a\n---\nname: b', /:2: a second document/],
  ['just text', /the file is "just text"; write a section of keys/],
  ['tune: { train: {} }', /:1: "tune" is not built yet; remove it$/],
  [
    'name: x\ndeploy: { m: { batch: { in: data:x } } }',
    /:2: a batch deployment \("batch"\) is not built yet; remove it/,
  ],
  ['monitor: { business: {} }', /"business" is not built yet/],
  ['monitor: { predictions: { from: x } }', /\("predictions"\) is not built yet/],
  ['environments: { production: { server: https://x } }', /\("server"\) is not built yet/],
  ['steps: { a: { run: x, each: steps.split.folds } }', /"each" over what a step puts out is not built yet/],
  ['triggers: [{ webhook: x }]', /a trigger on a "webhook" is not built yet/],
  [
    'steps: { a: { run: x, in: data:chrn } }\ndata: { churn: { from: c.csv } }',
    /:1: there is no dataset "chrn"; did you mean "churn"\?/,
  ],
  ['steps:\n  prep: { run: x }\n  t: { run: y, needs: [perp] }', /:3: there is no step "perp"; did you mean "prep"\?/],
  ['steps: { train: { run: x } }\nmodel: { from: trian.clf }', /:2: there is no step "trian"; did you mean "train"\?/],
  ['steps:\n  a: { run: x, needs: b }\n  b: { run: y, needs: a }', /:2: these steps wait for each other: a → b → a/],
  ['steps: { a: { run: x, needs: a } }', /step "a" waits for itself/],
  ['steps: { a: { run: x, out: o }, b: { run: y, out: o } }', /both put out "o"/],
  ['steps: { a: {} }', /needs exactly one of "run" \(a command\) and "notebook"/],
  ['steps: { a: { run: x, notebook: a.ipynb } }', /needs exactly one/],
  ['steps: { a: { run: x, timeout: 30 } }', /"30" is not a duration; write for example 30m/],
  ['steps: { a: { run: x, timeout: 0m } }', /"0m" is no time at all/],
  ['steps: { a: { run: x, retry: { mx: 3 } } }', /key "mx" is unknown in steps\.a\.retry; did you mean "max"\?/],
  ['steps: { a: { run: x, resources: { memory: lots } } }', /"lots" is not a size/],
  ['steps: { a: { run: x, out: ../x } }', /leaves the project/],
  ['data: { d: { from: 1 } }', /data\.d\.from is 1; write text or a section of keys/],
  ['data: { d: { key: id } }', /data\.d lacks "from"; add it/],
  ['data: { d: { from: "s3://b/x.parquet" } }', /data\.d lacks "as"/],
  ['data: { d: { from: d.csv, window: 9d } }', /needs "time"/],
  ['data: { d: { from: d.csv, expect: { x: { type: nubmer } } } }', /did you mean "number"\?/],
  ['data: { d: { from: d.csv, expect: { x: { between: [3, 1] } } } }', /write the lower bound first/],
  ['data: { d: { from: d.csv, expect: { x: { mostly: 150% } } } }', /more than everything/],
  ['data: { d: { from: d.csv, expect: { x: { matches: "(" } } } }', /not a regular expression/],
  ['data: { d: { from: d.csv, expect: { x: { nulls: few } } } }', /write a number of rows, or a share/],
  ['model: { from: train, gate: { rows: newest 20 % } }\nsteps: { train: { run: x } }', /write "newest 20%"/],
  ['model: { from: train, gate: { rows: newest 120% } }\nsteps: { train: { run: x } }', /at most 90%/],
  ['model: { from: train, gate: { pass: { not_wors: 1 } } }', /did you mean "not_worse"\?/],
  ['model: { from: train, task: binray }', /did you mean "binary"\?/],
  ['deploy: { m: { rollout: autp } }', /did you mean "auto"\?/],
  ['deploy: { m: { rollout: { canary: [25, 5] } } }', /must rise/],
  ['deploy: { m: { rollout: { canary: [500] } } }', /more than everything/],
  ['deploy: { m: { rollout: direct } }', /"deploy" needs a "model"/],
  ['monitor: { page: [servce] }', /did you mean "service"\?/],
  ['monitor: { false_alarms: 1 }', /"1" is not a rate; write for example 1\/90d/],
  [
    'monitor: { to: { page: oncal } }\nnotify: { oncall: { log: } }',
    /there is no target under "notify" "oncal"; did you mean "oncall"\?/,
  ],
  ['notify: { x: {} }', /needs exactly one of log/],
  ['triggers: [{ cron: "61 * * * *" }]', /"61" is not a minute/],
  ['triggers: [{ cron: "0 3 * *" }]', /has 4 fields/],
  ['triggers: [{ cron: "0 3 * * *", tz: Mars/Base }]', /"Mars\/Base" is not a time zone/],
  ['triggers: [{ data: d }]', /there is no dataset "d"/],
  ['triggers: [{}]', /needs exactly one of "cron"/],
];

describe('a wrong file', () => {
  for (const [text, expected] of WRONG) {
    test(`is refused: ${text.replaceAll('\n', ' ⏎ ')}`, () => assert.match(refusal(text), expected));
  }

  test('all its problems are told at once, in the order of the lines', () => {
    const message = refusal('nmae: x\nstpes: {}\ntirggers: []');
    assert.deepEqual(
      message.split('\n').map((line) => line.split(':')[1]),
      ['1', '2', '3'],
    );
  });

  test('anchors that multiply and deep nesting are refused, not expanded', () => {
    const bomb = ['a: &a [1,1,1,1,1,1,1,1,1,1]'];
    for (let i = 0; i < 8; i++)
      bomb.push(`${'bcdefghi'[i]}: &${'bcdefghi'[i]} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(',')}]`);
    assert.match(refusal(bomb.join('\n')), /aliases expand too far/);
    assert.match(refusal(`params: ${'{a: '.repeat(60)}1${'}'.repeat(60)}`), /nests deeper/);
    const hostile = refusal(`params: ${'['.repeat(20_000)}${']'.repeat(20_000)}`);
    assert.match(hostile, /nests deeper than 32 levels/);
    assert.doesNotMatch(hostile, /stack/);
  });

  test('whatever the text, the answer is a file or a refusal with a line, never a bug', () => {
    const words = [
      'name',
      'data',
      'steps',
      'model',
      'x',
      'from',
      ':',
      ' ',
      '\n',
      '  ',
      '{',
      '}',
      '[',
      ']',
      ',',
      '-',
      '*a',
      '&a',
      '1',
      '3.10',
      '"',
      '~',
      'null',
      '%',
      '!!js',
      '|',
    ];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((parts) => parts.join('')),
        (text) => {
          try {
            parseProjectFile(text, 'levain.yaml');
          } catch (error) {
            assert.ok(isAppError(error), (error as Error).stack);
            assert.match(error.message, /^levain\.yaml/);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a key with one typing slip is always suggested', () => {
    const keys = ['python', 'params', 'steps', 'model', 'deploy', 'environments', 'monitor', 'notify', 'triggers'];
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.nat(), (key, seed) => {
        const at = seed % (key.length - 1);
        const slip = key.slice(0, at) + key[at + 1] + key[at] + key.slice(at + 2);
        if (slip !== key) assert.ok(refusal(`${slip}: {}`).includes(`did you mean "${key}"?`), refusal(`${slip}: {}`));
      }),
    );
  });
});

test('the edit distance counts insertions, deletions, substitutions and swaps', () => {
  assert.deepEqual(
    [editDistance('', 'abc'), editDistance('stpes', 'steps'), editDistance('kitten', 'sitting')],
    [3, 1, 3],
  );
});

test('explain tells for each value the line it stands on, or where the default comes from', () => {
  const rows = Object.fromEntries(
    explain(SMALL, '/x/levain.yaml', 'model').map(({ key, value, from }) => [key, [value, from]]),
  );
  assert.deepEqual(rows['model.from'], ['train.clf', 'levain.yaml:4']);
  assert.deepEqual(rows['model.entity'], ['customerID', "the data's key"]);
  assert.deepEqual(rows['model.gate.pass'], ['better', 'default']);
  assert.deepEqual(explain(WHOLE, 'levain.yaml', 'monitor.labels.horizon'), [
    {
      key: 'monitor.labels.horizon',
      value: '30d',
      from: `levain.yaml:${WHOLE.slice(0, WHOLE.indexOf('horizon')).split('\n').length}`,
    },
  ]);
  assert.throws(() => explain(SMALL, 'levain.yaml', 'modle'), /did you mean "model"/);
});

test('an edit changes one key and keeps comments; one that breaks the file is refused', () => {
  const text = '# mine\nname: churn # the name\nsteps: { train: { run: x } }\nmodel: { from: train }\n';
  const edited = setKey(text, ['deploy', 'churn', 'rollout'], 'direct');
  assert.match(edited, /^# mine\nname: churn # the name\n/);
  assert.deepEqual(parseProjectFile(edited, 'levain.yaml').deploy['churn']?.rollout, { kind: 'direct' });
  assert.throws(() => setKey(text, ['deploy', 'churn', 'rolout'], 'direct'), /did you mean "rollout"/);
});

test('what we write reads back, and quotes what YAML 1.1 would take for true', () => {
  const text = writeProjectFile({
    name: 'churn',
    steps: { t: { run: 'x' } },
    model: { from: 't', target: { column: 'Churn', positive: 'Yes' } },
  });
  assert.match(text, /positive: "Yes"/);
  assert.equal(parseProjectFile(text, 'levain.yaml').model?.target?.positive, 'Yes');
});

test('the JSON Schema names every section and refuses unknown keys', () => {
  const schema = jsonSchema() as { properties: Record<string, unknown>; additionalProperties: boolean };
  assert.equal(schema.additionalProperties, false);
  for (const key of ['name', 'data', 'steps', 'model', 'deploy', 'monitor', 'triggers'])
    assert.ok(schema.properties[key], key);
});

test('a model may be what a variable holds, by literal keys alone', () => {
  const fromOf = (from: string) =>
    parseProjectFile(
      `steps: { train: { notebook: a.ipynb } }\nmodel: { from: ${JSON.stringify(from)} }`,
      '/p/levain.yaml',
    ).model?.from;
  for (const variable of [`models['Random Forest']`, 'found[0].model', `by["it's"][-1]`])
    assert.deepEqual(fromOf(`train.${variable}`), { kind: 'variable', step: 'train', variable });
  for (const wrong of ['models[name]', 'make()', `models['a'`, 'a b'])
    assert.throws(() => fromOf(`train.${wrong}`), /is not a variable, nor what one holds/);
});
