import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { testClock, testLog } from '../../../test/support/system.ts';
import { isAppError } from '../../kernel/errors.ts';
import type { NotifyMessage } from '../../ports/system.ts';
import { createNotifier } from './index.ts';

const MESSAGE: NotifyMessage = {
  key: 'incident-4821',
  severity: 'page',
  title: 'churn DATA broken since 01:58',
  text: 'MonthlyCharges ×100 in all 861 requests.',
  url: 'http://127.0.0.1:4747/i/4821',
};

interface Received {
  readonly path: string;
  readonly signature: string | undefined;
  readonly body: string;
}

/** An HTTP server that keeps what it gets and answers `status`. */
async function receiver(t: TestContext, status = 200): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const body = (await buffer(request)).toString();
    received.push({ path: request.url!, signature: request.headers['levain-signature'] as string | undefined, body });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, received };
}

const notifier = (options: { secret?: string; pagerdutyUrl?: string } = {}, log = testLog()) =>
  createNotifier({
    clock: testClock(),
    log,
    secrets: { find: async () => options.secret },
    ...(options.pagerdutyUrl ? { pagerdutyUrl: options.pagerdutyUrl } : {}),
  });

test('a webhook gets the message, signed over time and body', async (t) => {
  const { url, received } = await receiver(t);
  await notifier({ secret: 'key' }).send({ kind: 'webhook', address: `${url}/hook` }, MESSAGE);
  const { body, path, signature } = received[0]!;
  assert.equal(path, '/hook');
  assert.deepEqual(JSON.parse(body), MESSAGE);
  const time = testClock().now() / 1000;
  assert.equal(signature, `t=${time},v1=${createHmac('sha256', 'key').update(`${time}.${body}`).digest('hex')}`);
});

test('without its secret a webhook goes unsigned', async (t) => {
  const { url, received } = await receiver(t);
  await notifier().send({ kind: 'webhook', address: url }, MESSAGE);
  assert.equal(received[0]!.signature, undefined);
});

test('slack, pagerduty and alertmanager get their own forms', async (t) => {
  const { url, received } = await receiver(t);
  const send = notifier({ pagerdutyUrl: `${url}/v2/enqueue` }).send;
  await send({ kind: 'slack', address: `${url}/services/T0` }, MESSAGE);
  await send({ kind: 'pagerduty', address: 'routing-key' }, MESSAGE);
  await send({ kind: 'alertmanager', address: `${url}/` }, MESSAGE);
  const [slack, pagerduty, alertmanager] = received.map(({ body }) => JSON.parse(body));
  assert.match(slack.text, /churn DATA broken/);
  assert.equal(pagerduty.routing_key, 'routing-key');
  assert.equal(pagerduty.dedup_key, 'incident-4821');
  assert.equal(pagerduty.payload.severity, 'critical');
  assert.equal(alertmanager[0].labels.key, 'incident-4821');
  assert.deepEqual(
    received.map(({ path }) => path),
    ['/services/T0', '/v2/enqueue', '/api/v2/alerts'],
  );
});

test('the log target writes a line', async () => {
  const log = testLog();
  await notifier({}, log).send({ kind: 'log', address: '' }, MESSAGE);
  assert.equal(log.lines[0]?.message, MESSAGE.title);
});

test('a target that refuses or is not there is unavailable, without the secrets of its address', async (t) => {
  const { url } = await receiver(t, 500);
  for (const address of [`${url}/secret-token`, 'http://127.0.0.1:1/secret-token']) {
    await assert.rejects(
      notifier().send({ kind: 'slack', address }, MESSAGE),
      (error) => isAppError(error, 'unavailable') && !error.message.includes('secret-token'),
    );
  }
});

/** As much of RFC 5321 as one delivery needs. */
async function mailServer(t: TestContext): Promise<{ address: string; lines: string[] }> {
  const lines: string[] = [];
  const server = createTcpServer((socket) => {
    let isData = false;
    socket.write('220 test ESMTP\r\n');
    socket.on('data', (chunk) => {
      for (const line of chunk
        .toString()
        .split('\r\n')
        .filter((text) => text !== '')) {
        lines.push(line);
        if (isData && line !== '.') continue;
        if (line === 'DATA') socket.write('354 go on\r\n');
        else socket.write(line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
        isData = line === 'DATA';
      }
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { address: `smtp://127.0.0.1:${(server.address() as { port: number }).port}/?to=a@acme.io,b@acme.io`, lines };
}

test('mail reaches everyone named, with subject and link', async (t) => {
  const { address, lines } = await mailServer(t);
  await notifier().send({ kind: 'smtp', address }, MESSAGE);
  assert.deepEqual(
    lines.filter((line) => line.startsWith('RCPT')),
    ['RCPT TO:<a@acme.io>', 'RCPT TO:<b@acme.io>'],
  );
  assert.ok(lines.includes(`Subject: ${MESSAGE.title}`));
  assert.ok(lines.some((line) => line.includes('/i/4821')));
});

test('a mail address without a recipient is told so', async () => {
  await assert.rejects(notifier().send({ kind: 'smtp', address: 'smtp://127.0.0.1:1' }, MESSAGE), /add \?to=/);
});
