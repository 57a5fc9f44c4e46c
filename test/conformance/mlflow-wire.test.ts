import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTrackingServer, type TrackingServer } from '../support/tracking-server.ts';

/** Texts and shapes that mlflow 3.17.2's own server answers; users' code matches them. */
let server: TrackingServer;

before(async () => {
  server = await startTrackingServer();
});
after(() => server.close());

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a foreign JSON that each test looks into
  readonly body: any;
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, body: isJson && text ? JSON.parse(text) : text };
}

const post = (path: string, body: unknown): Promise<Answer> => call('POST', `/api/2.0/mlflow${path}`, body);
const get = (path: string): Promise<Answer> => call('GET', `/api/2.0/mlflow${path}`);

async function newRun(): Promise<string> {
  const { body } = await post('/runs/create', { experiment_id: '0', user_id: 'u', start_time: 5, tags: [] });
  return body.run.info.run_id;
}

async function refused(
  answer: Promise<Answer>,
  message: string,
  code = 'INVALID_PARAMETER_VALUE',
  status = 400,
): Promise<void> {
  const { body, status: got } = await answer;
  assert.deepEqual([got, body.error_code, body.message], [status, code, message]);
}

const SEE = ' See the API docs for more information about request parameters.';

test('an empty answer is {}, times and ids have the types that clients expect', async () => {
  const runId = await newRun();
  assert.deepEqual((await post('/runs/log-metric', { run_id: runId, key: 'm', value: 1, timestamp: 3 })).body, {});
  const { body } = await get(`/runs/get?run_id=${runId}`);
  const { info, data } = body.run;
  assert.deepEqual(data.metrics, [{ key: 'm', value: 1, timestamp: 3, step: 0 }]);
  assert.equal(info.experiment_id, '0');
  assert.equal(info.start_time, 5);
  assert.equal(info.run_uuid, runId);
  assert.equal(info.artifact_uri, `mlflow-artifacts:/0/${runId}/artifacts`);
  assert.equal('end_time' in info, false);
  assert.deepEqual(body.run.inputs, {});
});

test('missing and wrong fields are named as mlflow names them', async () => {
  const runId = await newRun();
  await refused(post('/runs/log-metric', {}), `Missing value for required parameter 'run_id'.${SEE}`);
  await refused(
    post('/runs/log-metric', { run_id: runId, key: 'm', value: 1 }),
    `Missing value for required parameter 'timestamp'.${SEE}`,
  );
  await refused(
    post('/runs/log-metric', { run_id: 31, key: 'm', value: 1, timestamp: 1 }),
    `Invalid value 31 for parameter 'run_id' supplied:  Hint: Value was of type 'int'.${SEE}`,
  );
  await refused(
    post('/runs/log-batch', { run_id: runId, metrics: [{ key: 'm', value: 1 }] }),
    `Missing value for required parameter 'metrics[0].timestamp'.${SEE}`,
  );
  await refused(
    post('/runs/log-batch', { run_id: runId, metrics: 'x' }),
    `Invalid value "x" for parameter 'metrics' supplied:  Hint: Value was of type 'str'.${SEE}`,
  );
  await refused(
    post('/experiments/search', {}),
    "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer",
  );
  await refused(
    post('/runs/search', { experiment_ids: ['0'], page_token: 'a' }),
    'Invalid page token, could not base64-decode',
  );
  await refused(
    call('POST', '/api/2.0/mlflow/runs/log-metric', 'run_id=1', { 'content-type': 'application/json; charset=utf-8' }),
    (await call('POST', '/api/2.0/mlflow/runs/log-metric', 'run_id=1')).body.message,
  );
});

test('names are checked as mlflow checks them', async () => {
  const runId = await newRun();
  const metric = (key: string) => post('/runs/log-metric', { run_id: runId, key, value: 1, timestamp: 1 });
  const chars =
    'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).';
  await refused(metric('a$b'), `Invalid value "a$b" for parameter 'name' supplied: ${chars}`);
  await refused(
    metric('a/../b'),
    `Invalid value "a/../b" for parameter 'name' supplied: Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to 'b'`,
  );
  await refused(metric('m'.repeat(251)), "'Metric name' exceeds the maximum length of 250 characters");
  await refused(
    post('/runs/log-batch', { run_id: runId, params: [{ key: '../p', value: '1' }] }),
    `Invalid value "../p" for parameter 'params[0].key' supplied: Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '../p'`,
  );
  assert.equal((await metric('val/loss: é 1-2_3.4')).status, 200);
  await post('/runs/log-parameter', { run_id: runId, key: 'long', value: 'é'.repeat(7_000) });
  const { body } = await get(`/runs/get?run_id=${runId}`);
  assert.equal(body.run.data.params[0].value.length, 6_000);
});

test('a batch has limits, and says which', async () => {
  const runId = await newRun();
  const metrics = Array.from({ length: 1_001 }, (_, i) => ({ key: 'm', value: i, timestamp: 1, step: i }));
  const params = Array.from({ length: 101 }, (_, i) => ({ key: `p${i}`, value: '1' }));
  const more = (what: string, limit: number, got: number) =>
    `A batch logging request can contain at most ${limit} ${what}. Got ${got} ${what}. Please split up ${what} across multiple requests and try again.`;
  await refused(post('/runs/log-batch', { run_id: runId, metrics }), more('metrics', 1_000, 1_001));
  await refused(post('/runs/log-batch', { run_id: runId, params }), more('params', 100, 101));
  await refused(
    post('/runs/log-batch', { run_id: runId, metrics: metrics.slice(0, 950), params: params.slice(0, 51) }),
    more('metrics, params, and tags', 1_000, 1_001),
  );
  await refused(
    post('/runs/log-batch', {
      run_id: runId,
      params: [
        { key: 'p', value: '1' },
        { key: 'p', value: '2' },
      ],
    }),
    "Duplicate parameter keys have been submitted: ['p']. Please ensure the request contains only one param value per param key.",
  );
});

test('lists beyond what any client sends are refused, and never reach the database', async () => {
  const tags = Array.from({ length: 5_001 }, (_, i) => ({ key: `k${i}`, value: 'x' }));
  const ids = tags.map((_, i) => String(i));
  const many = (name: string, limit: number, got: number) =>
    `'${name}' has ${got} items; at most ${limit} are read in one request`;
  await refused(post('/runs/create', { experiment_id: '0', tags }), many('tags', 5_000, 5_001));
  await refused(post('/runs/search', { experiment_ids: ids }), many('experiment_ids', 5_000, 5_001));
  const models = ids.map((id) => ({ model_id: `m-${id}` }));
  await refused(post('/runs/log-inputs', { run_id: 'x', models }), many('models', 5_000, 5_001));
  const orders = ids.slice(0, 101).map((id) => `metrics.m${id}`);
  await refused(post('/runs/search', { experiment_ids: ['0'], order_by: orders }), many('order_by', 100, 101));
});

test('NaN is the text "NaN" both ways, infinity the largest double, and numbers may be texts', async () => {
  const runId = await newRun();
  const metrics = [
    { key: 'nan', value: 'NaN', timestamp: '1', step: '2' },
    { key: 'inf', value: 'Infinity', timestamp: 1, step: 0 },
    { key: 'ninf', value: '-Infinity', timestamp: 1 },
    { key: 'text', value: '0.5', timestamp: 1 },
  ];
  assert.equal((await post('/runs/log-batch', { runId, metrics })).status, 200);
  const { body } = await get(`/runs/get?run_uuid=${runId}`);
  const values = Object.fromEntries(
    body.run.data.metrics.map((m: { key: string; value: unknown }) => [m.key, m.value]),
  );
  assert.deepEqual(values, { inf: 1.7976931348623157e308, nan: 'NaN', ninf: -1.7976931348623157e308, text: 0.5 });
});

test('a body that is encoded twice is read, and another content type is refused', async () => {
  const runId = await newRun();
  const body = JSON.stringify(JSON.stringify({ run_id: runId, key: 'a', value: 'b' }));
  assert.equal((await post('/runs/set-tag', body)).status, 200);
  const wrong = await call('POST', '/api/2.0/mlflow/runs/set-tag', '{}', { 'content-type': 'text/plain' });
  assert.equal(wrong.status, 400);
  assert.equal(wrong.body.message, "Bad Request. Content-Type must be one of ['application/json'].");
});

test('what is not there is RESOURCE_DOES_NOT_EXIST, what is there already 400', async () => {
  await refused(get('/runs/get?run_id=nope'), 'Run with id=nope not found', 'RESOURCE_DOES_NOT_EXIST', 404);
  await refused(
    get('/experiments/get?experiment_id=99'),
    'No Experiment with id=99 exists',
    'RESOURCE_DOES_NOT_EXIST',
    404,
  );
  await refused(
    get('/experiments/get-by-name?experiment_name=nope'),
    "Could not find experiment with name 'nope'",
    'RESOURCE_DOES_NOT_EXIST',
    404,
  );
  await refused(get('/logged-models/m-1'), "Logged model with ID 'm-1' not found.", 'RESOURCE_DOES_NOT_EXIST', 404);
  await post('/experiments/create', { name: 'twice' });
  await refused(
    post('/experiments/create', { name: 'twice' }),
    'Experiment(name=twice) already exists.',
    'RESOURCE_ALREADY_EXISTS',
  );
});

test('a call that is not served is an HTML 404, a wrong method 405', async () => {
  const unknown = await post('/traces/search', {});
  assert.equal(unknown.status, 404);
  assert.match(unknown.body, /^<!doctype html>/);
  assert.equal((await call('GET', '/api/2.0/mlflow/runs/create')).status, 405);
  assert.equal((await call('GET', '/version')).body, '3.17.2');
  assert.deepEqual((await call('GET', '/api/3.0/mlflow/server-info')).body, {
    store_type: 'SqlStore',
    workspaces_enabled: false,
  });
});

test('the browser and 1.x clients find the same calls under their own prefixes', async () => {
  for (const prefix of ['/ajax-api/2.0', '/api/2.0/preview']) {
    assert.equal(
      (await call('GET', `${prefix}/mlflow/experiments/get?experiment_id=0`)).body.experiment.name,
      'Default',
    );
  }
});

test('artifacts go up and come down whole, in ranges and by tag', async () => {
  const base = `${server.url}/api/2.0/mlflow-artifacts/artifacts`;
  const put = await fetch(`${base}/0/r1/artifacts/dir/a%20b.txt`, { method: 'PUT', body: 'hello world' });
  assert.deepEqual([put.status, await put.json()], [200, {}]);
  const whole = await fetch(`${base}/0/r1/artifacts/dir/a%20b.txt`);
  assert.equal(await whole.text(), 'hello world');
  assert.equal(whole.headers.get('content-disposition'), 'attachment; filename="a b.txt"');
  const etag = whole.headers.get('etag')!;
  const part = await fetch(`${base}/0/r1/artifacts/dir/a%20b.txt`, { headers: { range: 'bytes=6-8' } });
  assert.deepEqual([part.status, await part.text(), part.headers.get('content-range')], [206, 'wor', 'bytes 6-8/11']);
  const same = await fetch(`${base}/0/r1/artifacts/dir/a%20b.txt`, { headers: { 'if-none-match': etag } });
  assert.equal(same.status, 304);
  const beyond = await fetch(`${base}/0/r1/artifacts/dir/a%20b.txt`, { headers: { range: 'bytes=50-' } });
  assert.equal(beyond.status, 416);
  const list = await fetch(`${base}?path=0/r1/artifacts/dir`);
  assert.deepEqual(await list.json(), { files: [{ path: 'a b.txt', is_dir: false, file_size: 11 }] });
  assert.deepEqual(await (await fetch(`${base}?path=0/r1/artifacts/none`)).json(), {});
  const missing = await fetch(`${base}/0/r1/artifacts/none`);
  assert.equal(missing.status, 404);
  assert.equal(((await missing.json()) as { error_code: string }).error_code, 'RESOURCE_DOES_NOT_EXIST');
  const outside = await fetch(`${base}/0/r1/artifacts/..%2f..%2fx`);
  assert.deepEqual([outside.status, ((await outside.json()) as { message: string }).message], [400, 'Invalid path']);
  const removed = await fetch(`${base}/0/r1/artifacts/dir`, { method: 'DELETE' });
  assert.equal(removed.status, 200);
  assert.deepEqual(await (await fetch(`${base}?path=0/r1/artifacts`)).json(), {});
});

test('an upload in parts is refused so that the client sends it whole', async () => {
  const answer = await call('POST', '/api/2.0/mlflow-artifacts/mpu/create/0/r1/artifacts', { path: 'x', num_parts: 2 });
  assert.equal(answer.status, 501);
  assert.match(answer.body.message, /^Multipart upload is not supported for the current artifact repository/);
});

test('a search over no experiments is {}', async () => {
  assert.deepEqual((await post('/runs/search', { experiment_ids: [] })).body, {});
});
