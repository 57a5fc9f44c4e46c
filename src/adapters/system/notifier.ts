import { createHmac } from 'node:crypto';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { Clock, Log, Notifier, NotifyMessage, NotifyTarget, Secrets } from '../../ports/system.ts';

export interface NotifierOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly secrets: Pick<Secrets, 'find'>;
  /** PagerDuty's address, for its other regions. */
  readonly pagerdutyUrl?: string;
}

const TIMEOUT_MS = 10_000;
const PAGERDUTY_URL = 'https://events.pagerduty.com/v2/enqueue';
/** The secret that signs webhooks; without it they go unsigned. */
const WEBHOOK_SECRET = 'LEVAIN_WEBHOOK_SECRET';

type Send = (options: NotifierOptions, address: string, message: NotifyMessage) => Promise<void>;

/**
 * Sends to one target at a time. Addresses: webhook, slack and alertmanager a URL, pagerduty a routing key, smtp
 * `smtps://user:password@host:465/?from=levain@acme.io&to=oncall@acme.io`. They may hold secrets: errors name the host only.
 *
 * Webhooks carry `Levain-Signature: t=<epoch s>,v1=<hex>`, the HMAC-SHA256 of `<t>.<body>` under the secret LEVAIN_WEBHOOK_SECRET.
 */
export function createNotifier(options: NotifierOptions): Notifier {
  return {
    async send({ kind, address }, message) {
      try {
        await SENDERS[kind](options, address, message);
      } catch (error) {
        throw new AppError(
          'unavailable',
          `The ${kind} target ${hostOf(address)} took no message (${messageOf(error)})`,
          { kind, key: message.key },
          error,
        );
      }
    },
  };
}

const SENDERS: Readonly<Record<NotifyTarget['kind'], Send>> = {
  async log({ log }, _address, { key, severity, title, text, url }) {
    log.warn(title, { key, severity, text, url });
  },
  async webhook({ clock, secrets }, address, message) {
    const body = JSON.stringify(message);
    const secret = await secrets.find(WEBHOOK_SECRET);
    const time = Math.floor(clock.now() / 1000);
    const signed: Record<string, string> = secret
      ? { 'levain-signature': `t=${time},v1=${sign(secret, `${time}.${body}`)}` }
      : {};
    await post(address, body, signed);
  },
  async slack(_options, address, { title, text, url }) {
    await post(address, JSON.stringify({ text: `*${title}*\n${text}\n${url}` }));
  },
  async pagerduty({ pagerdutyUrl }, address, { key, severity, title, text, url }) {
    const body = {
      routing_key: address,
      event_action: 'trigger',
      dedup_key: key,
      payload: {
        summary: title.slice(0, 1024),
        severity: PAGERDUTY_SEVERITY[severity],
        source: 'levain',
        custom_details: { text },
      },
      links: [{ href: url, text: 'Open in Levain' }],
    };
    await post(pagerdutyUrl ?? PAGERDUTY_URL, JSON.stringify(body));
  },
  async alertmanager(_options, address, { key, severity, title, text, url }) {
    const labels = { alertname: 'Levain', key, severity };
    const alert = { labels, annotations: { summary: title, description: text }, generatorURL: url };
    await post(`${address.replace(/\/$/, '')}/api/v2/alerts`, JSON.stringify([alert]));
  },
  async smtp(_options, address, { title, text, url }) {
    const { searchParams } = new URL(address);
    const to = searchParams.get('to');
    if (!to) throw new Error('the address names nobody; add ?to=oncall@acme.io');
    const { createTransport } = await import('nodemailer');
    const transport = createTransport(withoutQuery(address), {
      connectionTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
    } as object);
    const from = searchParams.get('from') ?? 'levain@localhost';
    await transport
      .sendMail({ from, to, subject: title, text: `${text}\n\n${url}\n` })
      .finally(() => transport.close());
  },
};

const PAGERDUTY_SEVERITY = { page: 'critical', ticket: 'warning', info: 'info' } as const;

const sign = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('hex');

async function post(url: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'levain', ...headers },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
}

function withoutQuery(address: string): string {
  const url = new URL(address);
  url.search = '';
  return url.href;
}

const hostOf = (address: string): string => (URL.canParse(address) ? new URL(address).host : '');
