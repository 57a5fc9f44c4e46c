import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { findColumn } from '../kernel/frame.ts';
import { timeOfUuidv7 } from '../kernel/ids.ts';
import { LOG_COLUMNS, type Segment } from '../serving/segment.ts';
import type { DesiredEndpoint } from '../serving/wire.ts';
import { type ControlPlane, endpointOf, startControlPlane } from './testing/control-plane.ts';
import { type MadeModel, makeForest, makeLinear } from './testing/models.ts';
import { type GatewayProcess, startGatewayProcess, TOKEN, until } from './testing/process.ts';

const champion = makeForest({ version: 1, trees: 20, depth: 4, columns: 3 });
const challenger = makeLinear({ version: 2, seed: 7 });

interface World {
  readonly dataDir: string;
  readonly plane: ControlPlane;
  readonly gateway: GatewayProcess;
  close(): Promise<void>;
}

async function startWorld(endpoints: readonly DesiredEndpoint[], models: readonly MadeModel[]): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'levain-gateway-'));
  const plane = await startControlPlane(TOKEN);
  for (const model of models) plane.addModel(model);
  plane.desire(endpoints);
  const gateway = await startGatewayProcess({ dataDir, server: plane.url });
  await settled(plane, 1);
  return {
    dataDir,
    plane,
    gateway,
    async close() {
      await gateway.stop();
      await plane.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

const settled = (plane: ControlPlane, generation: number): Promise<unknown> =>
  until(() => plane.reports.at(-1)?.generation === generation);

const rowOf = (x: readonly (number | null)[]) =>
  x.map((value, i) => ({ name: `x${i}`, shape: [1], datatype: 'FP64', data: [value] }));

async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
  });
  const answer = await response.text();
  return { status: response.status, headers: response.headers, body: parse(answer) };
}

function parse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** fetch sends no other Host than the one that it dials. */
const statusWithHost = (url: string, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const asked = get(`${url}/v2`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once('error', reject);
  });

/** Every row that came in, as objects. */
function rowsOf(segments: readonly Segment[]): Record<string, unknown>[] {
  return segments.flatMap(({ blocks }) =>
    blocks.flatMap(({ rows, features }) =>
      Array.from({ length: rows.rowCount }, (_, i) =>
        Object.fromEntries([...rows.columns, ...features.columns].map(({ name, values }) => [name, values[i]])),
      ),
    ),
  );
}

describe('a gateway', () => {
  let world: World;
  let infer: string;
  let invocations: string;
  before(async () => {
    const client = endpointOf(champion, { name: 'dated', eventTime: 'client', latenessMs: 60_000, entity: 'customer' });
    world = await startWorld([endpointOf(champion), client], [champion, challenger]);
    infer = `${world.gateway.url}/v2/models/churn/infer`;
    invocations = `${world.gateway.url}/endpoints/churn/invocations`;
  });
  after(() => world.close());

  it('says what it is and what it serves', async () => {
    const get = async (path: string) => {
      const response = await fetch(world.gateway.url + path);
      return [response.status, parse(await response.text())];
    };
    assert.deepEqual(await get('/v2/health/live'), [200, { live: true }]);
    assert.deepEqual(await get('/v2/health/ready'), [200, { ready: true }]);
    assert.deepEqual(await get('/v2/models/churn/ready'), [200, { name: 'churn', ready: true }]);
    assert.deepEqual(await get('/ping'), [200, '\n']);
    const [, metadata] = await get('/v2/models/churn');
    assert.deepEqual(metadata.inputs[0], { name: 'x0', datatype: 'FP64', shape: [-1] });
    assert.deepEqual(metadata.outputs[1], { name: 'predict_proba', datatype: 'FP64', shape: [-1, 2] });
    assert.equal((await get('/v2/models/other'))[0], 404);
    assert.equal((await get('/nothing'))[0], 404);
  });

  it('answers the Open Inference Protocol with labels, probabilities, the id and a prediction id', async () => {
    const { status, headers, body } = await post(infer, { id: 'abc', inputs: rowOf([0.1, 0.2, 0.3]) });
    assert.equal(status, 200);
    assert.equal(body.id, 'abc');
    assert.equal(body.model_name, 'churn');
    assert.equal(body.model_version, '1');
    const [labels, probabilities] = body.outputs;
    assert.deepEqual([labels.name, labels.shape, labels.datatype], ['predict', [1], 'INT64']);
    assert.deepEqual([probabilities.name, probabilities.shape], ['predict_proba', [1, 2]]);
    assert.ok(Math.abs(probabilities.data[0] + probabilities.data[1] - 1) < 1e-9);
    assert.equal(headers.get('levain-prediction-ids'), body.parameters.prediction_ids);
  });

  it('gives the same answers for columns, for nested and flat rows, and for every form of MLflow', async () => {
    const data = [
      [0.1, 0.2, 0.3],
      [0.9, null, 0.7],
    ];
    const columns = [0, 1, 2].map((c) => ({
      name: `x${c}`,
      shape: [2],
      datatype: 'FP64',
      data: data.map((row) => row[c]),
    }));
    const byColumn = await post(infer, { inputs: columns });
    const nested = await post(infer, { inputs: [{ name: 'features', shape: [2, 3], datatype: 'FP64', data }] });
    const flat = await post(infer, {
      inputs: [{ name: 'features', shape: [2, 3], datatype: 'FP64', data: data.flat() }],
    });
    assert.equal(byColumn.status, 200);
    assert.deepEqual(nested.body.outputs, byColumn.body.outputs);
    assert.deepEqual(flat.body.outputs, byColumn.body.outputs);
    const expected = byColumn.body.outputs[0].data;
    const names = ['x0', 'x1', 'x2'];
    const records = data.map((row) => Object.fromEntries(row.map((value, c) => [`x${c}`, value])));
    const forms = [
      { dataframe_split: { columns: ['x2', 'x0', 'x1'], data: data.map(([a, b, c]) => [c, a, b]) } },
      { dataframe_records: records },
      { instances: data },
      { inputs: Object.fromEntries(names.map((name, c) => [name, data.map((row) => row[c])])) },
    ];
    for (const form of forms) assert.deepEqual((await post(invocations, form)).body, { predictions: expected });
    const csv = `x0,x1,x2\n0.1,0.2,0.3\n0.9,,"0.7"\n`;
    assert.deepEqual((await post(invocations, csv, { 'content-type': 'text/csv' })).body, { predictions: expected });
  });

  it('refuses what is wrong and names the column, what was expected and what came', async () => {
    const wrong: [unknown, RegExp][] = [
      [{ inputs: rowOf([0.1, 0.2]) }, /Column "x2" is missing; expected double/],
      [
        { inputs: [...rowOf([0.1, 0.2]), { name: 'x2', shape: [1], datatype: 'BYTES', data: ['a lot'] }] },
        /Column "x2" expects double; row 0 has the text "a lot"/,
      ],
      [
        { inputs: [...rowOf([0.1, 0.2]), { name: 'x2', shape: [1], datatype: 'FP64', data: ['a'] }] },
        /Column "x2" expects FP64; element 0 has the text "a"/,
      ],
      [
        { inputs: [{ name: 'x0', shape: [2], datatype: 'FP64', data: [1] }] },
        /Input "x0" has 1 values; its shape \[2\] asks for 2/,
      ],
      [
        { inputs: [{ name: 'x0', shape: [1], datatype: 'INT8', data: [300] }] },
        /Column "x0" expects INT8; element 0 has the number 300/,
      ],
      [
        { inputs: [{ name: 'x0', shape: [1], datatype: 'FLOAT', data: [1] }] },
        /datatype the text "FLOAT"; expected one of BOOL/,
      ],
      ['{"inputs": [NaN]}', /NaN and Infinity are not JSON, send null/],
      ['['.repeat(100), /nests deeper than 32/],
      [{ inputs: rowOf([1, 2, 3]), outputs: [{ name: 'shap' }] }, /no output the text "shap"/],
      [{ inputs: rowOf([1, 2, 3]), parameters: { event_time: '2001-01-01' } }, /dates requests by itself/],
    ];
    for (const [body, message] of wrong) {
      const { status, body: answer } = await post(infer, body);
      assert.equal(status, 400, JSON.stringify(answer));
      assert.match(answer.error, message);
    }
    const unknown = await post(`${world.gateway.url}/v2/models/other/infer`, { inputs: rowOf([1, 2, 3]) });
    assert.equal(unknown.status, 404);
    assert.match(unknown.body.error, /There is no endpoint "other"; there are: churn, dated/);
  });

  it('refuses a column that comes twice, whichever protocol names it', async () => {
    const twice = [...rowOf([0.1, 0.2, 0.3]), ...rowOf([0.4])];
    const oip = await post(infer, { inputs: twice });
    assert.deepEqual([oip.status, oip.body.error], [400, 'Column "x0" comes twice; send it once']);
    const split = { columns: ['x0', 'x1', 'x2', 'x0'], data: [[1, 2, 3, 4]] };
    assert.equal((await post(invocations, { dataframe_split: split })).status, 400);
  });

  it('says of a compressed body that it is one', async () => {
    const response = await fetch(infer, {
      method: 'POST',
      body: gzipSync(JSON.stringify({ inputs: rowOf([1, 2, 3]) })),
    });
    assert.equal(response.status, 400);
    assert.match(await response.text(), /looks compressed; send it as it is/);
  });

  it('on loopback answers no other page and no rebound name', async () => {
    const body = { inputs: rowOf([1, 2, 3]) };
    assert.equal((await post(infer, body, { origin: 'http://evil.example' })).status, 403);
    assert.equal((await post(infer, body, { origin: world.gateway.url })).status, 200);
    assert.equal(await statusWithHost(world.gateway.url, 'evil.example:4748'), 403);
    assert.equal(await statusWithHost(world.gateway.url, 'localhost:4748'), 200);
  });

  it('says errors of /invocations as MLflow does', async () => {
    const none = await post(invocations, { rows: [] });
    assert.deepEqual([none.status, none.body.error_code], [400, 'BAD_REQUEST']);
    assert.match(none.body.message, /exactly one of dataframe_split/);
    assert.equal((await post(invocations, '<x/>', { 'content-type': 'text/xml' })).status, 415);
    assert.equal(
      (await post(`${world.gateway.url}/endpoints/other/invocations`, {})).body.error_code,
      'RESOURCE_DOES_NOT_EXIST',
    );
    const got = await fetch(invocations);
    assert.deepEqual([got.status, parse(await got.text()).error_code], [405, 'BAD_REQUEST']);
  });

  it('files dated requests under their date, undated ones at the clock, and lets nobody write the future', async () => {
    const url = `${world.gateway.url}/v2/models/dated/infer`;
    const at = '2001-02-03T04:05:06Z';
    const dated = await post(url, { inputs: rowOf([1, 2, 3]), parameters: { event_time: at, entity: 'ann' } });
    assert.equal(timeOfUuidv7(dated.body.parameters.prediction_ids), Date.parse(at));
    const undated = await post(url, { inputs: rowOf([1, 2, 3]) });
    assert.equal(timeOfUuidv7(undated.body.parameters.prediction_ids), Date.parse(at) - 60_000);
    const early = new Date(Date.now() + 6 * 60_000).toISOString();
    const future = await post(url, { inputs: rowOf([1, 2, 3]), parameters: { event_time: early } });
    assert.equal(future.status, 400);
    assert.match(future.body.error, /6 minutes ahead; at most 5 are allowed/);
    const clock = await until(() =>
      world.plane.reports
        .at(-1)!
        .endpoints.find(({ endpoint, eventClock }) => endpoint === 'dated' && eventClock !== null),
    );
    assert.equal(clock.eventClock, Date.parse(at) - 60_000);
  });

  it('logs every answer and refusal with its raw columns and counts', async () => {
    const body = { id: 'log-me', inputs: rowOf([0.25, null, 0.75]) };
    const answer = await post(infer, body);
    await post(infer, { id: 'refuse-me', inputs: rowOf([0.25]) });
    const id = answer.body.parameters.prediction_ids;
    const row = await until(() => rowsOf(world.plane.segments).find((r) => r['prediction_id'] === id));
    const expected = {
      role: 'champion',
      version_id: 'churn-1',
      caller_id: 'log-me',
      status: 0,
      fallback: false,
      rehearsal: null,
    };
    for (const [key, value] of Object.entries(expected)) assert.equal(row[key], value, key);
    assert.deepEqual([row['x0'], row['x1'], row['x2']], [0.25, Number.NaN, 0.75]);
    assert.equal(row['score'], answer.body.outputs[1].data[1]);
    assert.equal(row['unit'], row['request_id']);
    const refused = await until(() => rowsOf(world.plane.segments).find((r) => r['caller_id'] === 'refuse-me'));
    assert.equal(refused['status'], 2);
    assert.match(String(refused['error']), /Column "x1" is missing/);
    const segment = world.plane.segments.find(({ blocks }) =>
      blocks.some(({ rows }) => findColumn(rows, 'prediction_id')!.values.includes(id as never)),
    )!;
    assert.deepEqual(
      segment.blocks[0]!.rows.columns.map(({ name }) => name),
      [...LOG_COLUMNS],
    );
    const delta = segment.counters.find(({ endpoint, role }) => endpoint === 'churn' && role === 'champion')!;
    assert.ok(delta.counters.requests >= 1 && delta.counters.features[1]!.nulls >= 1);
  });

  it('forces a version or a rehearsal only with the gateway token', async () => {
    const refused = await post(infer, { inputs: rowOf([1, 2, 3]) }, { 'levain-version': '1' });
    assert.equal(refused.status, 403);
    const tagged = await post(
      infer,
      { id: 'reh', inputs: rowOf([1, 2, 3]) },
      { 'levain-rehearsal': 'r1', 'levain-rehearsal-token': TOKEN },
    );
    assert.equal(tagged.status, 200);
    const row = await until(() => rowsOf(world.plane.segments).find((r) => r['caller_id'] === 'reh'));
    assert.equal(row['rehearsal'], 'r1');
  });

  it('shows its counters to Prometheus', async () => {
    const text = await (await fetch(`${world.gateway.url}/metrics`)).text();
    assert.match(text, /levain_predict_requests_total\{model="churn",version="1",variant="champion",code="ok"\} [1-9]/);
    assert.match(
      text,
      /levain_predict_duration_seconds_bucket\{model="churn",version="1",variant="champion",le="\+Inf"\} [1-9]/,
    );
    assert.match(text, /levain_model_info\{model="churn",version="1",engine="levain",task="binary"\} 1/);
  });
});

describe('a rollout', () => {
  const rollout = { id: 'r-1', revision: 1, weight: 0.25, shadow: false, rehearsal: null, limits: {} };
  const arms = [
    { versionId: champion.spec.versionId, role: 'champion', weight: 0.75 },
    { versionId: challenger.spec.versionId, role: 'challenger', weight: 0.25 },
  ] as const;
  const withRollout = (more: object = {}): DesiredEndpoint =>
    endpointOf(champion, { arms, entity: 'customer', rollout: { ...rollout, ...more } }, [challenger]);

  it('splits entities by its weight, keeps each in its arm, and only adds when the weight grows', async () => {
    const world = await startWorld([withRollout()], [champion, challenger]);
    try {
      const infer = `${world.gateway.url}/v2/models/churn/infer`;
      const versionsOf = async (): Promise<string[]> => {
        const answers: string[] = [];
        for (let i = 0; i < 400; i++)
          answers.push(
            (await post(infer, { inputs: rowOf([1, 2, 3]), parameters: { entity: `c${i}` } })).body.model_version,
          );
        return answers;
      };
      const first = await versionsOf();
      const share = first.filter((version) => version === '2').length / first.length;
      assert.ok(share > 0.15 && share < 0.35, `share ${share}`);
      assert.deepEqual(await versionsOf(), first);
      await settled(world.plane, world.plane.desire([withRollout({ weight: 0.5, revision: 2 })]));
      const second = await versionsOf();
      const left = first.filter((version, i) => version === '2' && second[i] !== '2');
      assert.deepEqual(left, []);
      assert.ok(second.filter((version) => version === '2').length > first.filter((version) => version === '2').length);
    } finally {
      await world.close();
    }
  });

  it('in shadow answers by the champion and logs the challenger beside it', async () => {
    const world = await startWorld([withRollout({ weight: 0, shadow: true })], [champion, challenger]);
    try {
      const answer = await post(`${world.gateway.url}/v2/models/churn/infer`, { inputs: rowOf([0.1, 0.2, 0.3]) });
      assert.equal(answer.body.model_version, '1');
      const id = answer.body.parameters.prediction_ids;
      const pair = await until(() => {
        const rows = rowsOf(world.plane.segments).filter((row) => row['request_id'] === id);
        return rows.length === 2 && rows;
      });
      assert.deepEqual(pair.map((row) => row['role']).sort(), ['champion', 'shadow']);
      const shadow = pair.find((row) => row['role'] === 'shadow')!;
      assert.equal(shadow['version_id'], challenger.spec.versionId);
      assert.equal(shadow['rollout_id'], 'r-1');
    } finally {
      await world.close();
    }
  });

  it('of a rehearsal takes only its own requests', async () => {
    const world = await startWorld([withRollout({ weight: 1, rehearsal: 'r9' })], [champion, challenger]);
    try {
      const infer = `${world.gateway.url}/v2/models/churn/infer`;
      const real = await post(infer, { inputs: rowOf([1, 2, 3]) });
      const rehearsed = await post(
        infer,
        { inputs: rowOf([1, 2, 3]) },
        { 'levain-rehearsal': 'r9', 'levain-rehearsal-token': TOKEN },
      );
      assert.deepEqual([real.body.model_version, rehearsed.body.model_version], ['1', '2']);
    } finally {
      await world.close();
    }
  });

  it('that breaks its hard limit is stopped by the gateway alone and stays stopped over a restart', async () => {
    const broken = { ...challenger, spec: { ...challenger.spec, fault: { kind: 'errors', share: 1 } as const } };
    const desired = endpointOf(
      champion,
      { arms, rollout: { ...rollout, weight: 1, limits: { errorRate: 0.05, minRequests: 20 } } },
      [broken],
    );
    const world = await startWorld([desired], [champion, challenger]);
    const infer = (gateway: GatewayProcess) =>
      post(`${gateway.url}/v2/models/churn/infer`, { inputs: rowOf([1, 2, 3]) });
    let second: GatewayProcess | undefined;
    try {
      const statuses: number[] = [];
      for (let i = 0; i < 30; i++) statuses.push((await infer(world.gateway)).status);
      assert.deepEqual(statuses, [...new Array(20).fill(500), ...new Array(10).fill(200)]);
      const [latch] = await until(
        () => world.plane.reports.at(-1)!.latched.length > 0 && world.plane.reports.at(-1)!.latched,
      );
      assert.equal(latch!.rolloutId, 'r-1');
      assert.equal(latch!.reason, 'errors 100.0 % of 20 requests, above the limit of 5 %');
      await world.gateway.kill();
      second = await startGatewayProcess({ dataDir: world.dataDir, server: world.plane.url });
      assert.equal((await infer(second)).body.model_version, '1');
    } finally {
      await second?.stop();
      await world.close();
    }
  });
});

describe('a version', () => {
  it('that does not answer its golden rows as it should is refused with the difference, and the old one goes on', async () => {
    const world = await startWorld([endpointOf(champion)], [champion, challenger]);
    try {
      const wrong = { ...challenger, spec: { ...challenger.spec, golden: champion.spec.golden! } };
      const generation = world.plane.desire([endpointOf(wrong, {}, [champion])]);
      await settled(world.plane, generation);
      const report = world.plane.reports
        .at(-1)!
        .versions.find(({ versionId }) => versionId === challenger.spec.versionId)!;
      assert.equal(report.state, 'failed');
      assert.match(report.error!, /The golden rows differ by .*at most 0.000001 is allowed/);
      const answer = await post(`${world.gateway.url}/v2/models/churn/infer`, { inputs: rowOf([1, 2, 3]) });
      assert.equal(answer.body.model_version, '1');
    } finally {
      await world.close();
    }
  });

  it('reports its parity and its cost, and its content is fetched once', async () => {
    const world = await startWorld([endpointOf(champion)], [champion]);
    try {
      const version = world.plane.reports.at(-1)!.versions[0]!;
      assert.deepEqual(version.parity, { maxDifference: 0, flips: 0, rows: 40 });
      assert.ok(version.microsPerRow! > 0);
      assert.equal(new Set(world.plane.fetched).size, world.plane.fetched.length);
    } finally {
      await world.close();
    }
  });

  it('that fails is answered by the fallback where that is configured', async () => {
    const broken = { ...challenger, spec: { ...challenger.spec, fault: { kind: 'errors', share: 1 } as const } };
    const fallback = { active: false, onFailure: true, value: { kind: 'score', score: 0.27 } } as const;
    const world = await startWorld([endpointOf(broken, { fallback })], [challenger]);
    try {
      const answer = await post(`${world.gateway.url}/v2/models/churn/infer`, { inputs: rowOf([1, 2, 3]) });
      assert.deepEqual(answer.body.outputs[1].data, [0.73, 0.27]);
      assert.equal(answer.body.parameters.fallback, true);
      const [row] = await until(() => rowsOf(world.plane.segments).length > 0 && rowsOf(world.plane.segments));
      assert.deepEqual([row!['status'], row!['fallback'], row!['score']], [1, true, 0.27]);
    } finally {
      await world.close();
    }
  });
});

describe('a model that takes no missing value', () => {
  it('is asked for one: 400 that names the column, and the log says that the row was refused', async () => {
    const world = await startWorld([endpointOf(challenger)], [challenger]);
    try {
      const url = `${world.gateway.url}/v2/models/churn/infer`;
      const missing = await post(url, { id: 'null', inputs: rowOf([1, null, 3]) });
      const message = 'Column "x1" is null in row 0, which this model does not take: Input X contains NaN';
      assert.deepEqual([missing.status, missing.body.error], [400, message]);
      const huge = await post(url, JSON.stringify({ inputs: rowOf([1, 2, 7]) }).replace('[7]', '[1e999]'));
      assert.equal(huge.status, 400);
      assert.match(huge.body.error, /^Column "x2" is Infinity in row 0/);
      const some = await post(url, { inputs: rowOf([1, 2, 3]).map((x) => ({ ...x, shape: [2], data: [1, null] })) });
      assert.deepEqual([some.status, some.body.parameters.failed_rows], [200, '1']);
      const row = await until(() => rowsOf(world.plane.segments).find((r) => r['caller_id'] === 'null'));
      assert.deepEqual([row['status'], row['error']], [2, message]);
      const sum = (of: 'requests' | 'errors' | 'refused') =>
        world.plane.segments.flatMap(({ counters }) => counters).reduce((n, { counters }) => n + counters[of], 0);
      await until(() => sum('refused') === 3);
      assert.deepEqual([sum('requests'), sum('errors')], [1, 0], 'rows of callers light no light of the service');
      const mlflow = await post(`${world.gateway.url}/endpoints/churn/invocations`, {
        instances: [
          [1, 2, 3],
          [1, null, 3],
        ],
      });
      assert.deepEqual([mlflow.status, mlflow.body.error_code], [400, 'BAD_REQUEST']);
      assert.match(mlflow.body.message, /^Column "x1" is null in row 1, which this model does not take/);
    } finally {
      await world.close();
    }
  });
});

describe('the prediction log', () => {
  it('holds every answer once that is older than 250 ms at a kill, and the restart says what may be missing', {
    timeout: 60_000,
  }, async () => {
    const world = await startWorld([endpointOf(champion)], [champion]);
    let second: GatewayProcess | undefined;
    try {
      const infer = `${world.gateway.url}/v2/models/churn/infer`;
      const answered: { readonly id: string; readonly at: number }[] = [];
      let isKilled = false;
      const client = async (): Promise<void> => {
        while (!isKilled) {
          const answer = await post(infer, { inputs: rowOf([0.1, 0.2, 0.3]) }).catch(() => undefined);
          if (answer?.status === 200) answered.push({ id: answer.body.parameters.prediction_ids, at: Date.now() });
        }
      };
      const clients = [client(), client(), client(), client()];
      await until(() => answered.length > 1_500);
      const killedAt = Date.now();
      await world.gateway.kill();
      isKilled = true;
      await Promise.all(clients);
      second = await startGatewayProcess({ dataDir: world.dataDir, server: world.plane.url });
      const report = await until(() =>
        world.plane.reports.find(({ gap, spool }) => gap !== null && spool.segments === 0),
      );
      const logged = rowsOf(world.plane.segments).map((row) => row['prediction_id'] as string);
      assert.equal(new Set(logged).size, logged.length);
      const have = new Set(logged);
      const lost = answered.filter(({ id, at }) => at < killedAt - 250 && !have.has(id));
      assert.deepEqual(lost, []);
      for (const { id, at } of answered)
        if (!have.has(id)) assert.ok(at >= report.gap!.from, `${at} is before ${report.gap!.from}`);
      const counted = world.plane.segments
        .flatMap(({ counters }) => counters)
        .reduce((sum, { counters }) => sum + counters.rows, 0);
      assert.equal(counted, logged.length);
    } finally {
      await second?.stop();
      await world.close();
    }
  });

  it('waits on disk while the control plane is down, which stops no answer, and a start without it answers too', {
    timeout: 60_000,
  }, async () => {
    const world = await startWorld([endpointOf(champion)], [champion]);
    const ids: string[] = [];
    const ask = async (gateway: GatewayProcess): Promise<void> => {
      const answer = await post(`${gateway.url}/v2/models/churn/infer`, { inputs: rowOf([0.1, 0.2, 0.3]) });
      assert.equal(answer.status, 200);
      ids.push(answer.body.parameters.prediction_ids);
    };
    await ask(world.gateway);
    await until(() => world.plane.segments.length > 0);
    const { port } = world.plane;
    await world.plane.close();
    await ask(world.gateway);
    assert.equal(await world.gateway.stop(), 0);
    const second = await startGatewayProcess({ dataDir: world.dataDir, server: world.plane.url });
    let back: ControlPlane | undefined;
    try {
      await ask(second);
      back = await startControlPlane(TOKEN, port);
      const all = [world.plane, back];
      await until(() =>
        ids.every((id) => rowsOf(all.flatMap(({ segments }) => segments)).some((row) => row['prediction_id'] === id)),
      );
      assert.equal(rowsOf(all.flatMap(({ segments }) => segments)).length, 3);
      assert.equal(back.reports.at(-1)?.gap ?? null, null);
    } finally {
      await second.stop();
      await back?.close();
      await rm(world.dataDir, { recursive: true });
    }
  });

  it('does not keep a start without the control plane and without the content from listening', {
    timeout: 60_000,
  }, async () => {
    const world = await startWorld([endpointOf(champion)], [champion]);
    await world.gateway.stop();
    await rm(join(world.dataDir, 'gateway', 'content'), { recursive: true });
    await world.plane.close();
    const second = await startGatewayProcess({ dataDir: world.dataDir, server: world.plane.url });
    try {
      assert.equal((await fetch(`${second.url}/v2/health/live`)).status, 200);
      assert.equal((await fetch(`${second.url}/v2/health/ready`)).status, 503);
      const answer = await post(`${second.url}/v2/models/churn/infer`, { inputs: rowOf([1, 2, 3]) });
      assert.equal(answer.status, 503);
      assert.equal(answer.headers.get('retry-after'), '1');
    } finally {
      await second.stop();
      await rm(world.dataDir, { recursive: true });
    }
  });
});
