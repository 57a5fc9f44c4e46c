import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sha256 } from '../../kernel/hash.ts';
import { decodeSegments, type Segment } from '../../serving/segment.ts';
import {
  type DesiredDocument,
  type DesiredEndpoint,
  GATEWAY_PATHS,
  type GatewayReport,
  type ReportAnswer,
} from '../../serving/wire.ts';
import type { MadeModel } from './models.ts';

/** The other end of the gateway's protocol as a small real server: holds a document and content, keeps segments and reports. */
export interface ControlPlane {
  readonly url: string;
  readonly port: number;
  readonly reports: readonly GatewayReport[];
  readonly segments: readonly Segment[];
  /** Calls that brought segments. */
  readonly calls: number;
  /** What a repeat of a segment was answered with is counted here, and its rows are not taken again. */
  readonly repeats: number;
  /** Paths of content that was asked for. */
  readonly fetched: readonly string[];
  reportAnswer: ReportAnswer;
  addModel(model: MadeModel): void;
  setContent(digest: string, bytes: Uint8Array): void;
  desire(endpoints: readonly DesiredEndpoint[]): number;
  close(): Promise<void>;
}

export async function startControlPlane(token: string, port = 0): Promise<ControlPlane> {
  const content = new Map<string, Uint8Array>();
  const reports: GatewayReport[] = [];
  const segments: Segment[] = [];
  const seen = new Set<string>();
  const fetched: string[] = [];
  const waiting = new Set<ServerResponse>();
  let repeats = 0;
  let calls = 0;
  let document: DesiredDocument = { generation: 0, endpoints: [] };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (request.headers.authorization !== `Bearer ${token}`) return send(response, 401, { error: 'token' });
    if (url.pathname === GATEWAY_PATHS.desired) {
      if (document.generation !== Number(url.searchParams.get('after'))) return send(response, 200, document);
      waiting.add(response);
      request.on('close', () => waiting.delete(response));
      return;
    }
    if (url.pathname.startsWith(GATEWAY_PATHS.content)) {
      const digest = url.pathname.slice(GATEWAY_PATHS.content.length + 1);
      fetched.push(digest);
      const bytes = content.get(digest);
      if (!bytes) return send(response, 404, { error: 'none' });
      response.end(bytes);
      return;
    }
    const body = await readAll(request);
    if (url.pathname === GATEWAY_PATHS.report) {
      reports.push(JSON.parse(body.toString('utf8')));
      return send(response, 200, plane.reportAnswer);
    }
    if (url.pathname === GATEWAY_PATHS.segments) {
      calls += 1;
      let sent: readonly Segment[];
      try {
        sent = decodeSegments(body);
      } catch (error) {
        return send(response, 400, { error: String(error) });
      }
      for (const segment of sent) {
        const key = `${segment.gatewayId}/${segment.incarnation}/${segment.seq}`;
        if (seen.has(key)) repeats += 1;
        else segments.push(segment);
        seen.add(key);
      }
      return send(response, 200, {});
    }
    send(response, 404, { error: url.pathname });
  };

  const server: Server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => send(response, 500, { error: String(error) }));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const bound = (server.address() as AddressInfo).port;
  const plane: ControlPlane = {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    reports,
    segments,
    fetched,
    reportAnswer: {},
    get calls() {
      return calls;
    },
    get repeats() {
      return repeats;
    },
    addModel(model) {
      for (const [digest, bytes] of model.contents) content.set(digest, bytes);
    },
    setContent: (digest, bytes) => void content.set(digest, bytes),
    desire(endpoints) {
      document = { generation: document.generation + 1, endpoints };
      for (const response of waiting) send(response, 200, document);
      waiting.clear();
      return document.generation;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return plane;
}

/** An endpoint that sends everything to one version. */
export function endpointOf(
  champion: MadeModel,
  more: Partial<DesiredEndpoint> = {},
  others: readonly MadeModel[] = [],
): DesiredEndpoint {
  const models = [champion, ...others];
  return {
    projectId: 'main',
    name: 'churn',
    model: 'churn',
    eventTime: 'server',
    latenessMs: 0,
    eventClock: null,
    entity: null,
    arms: [{ versionId: champion.spec.versionId, role: 'champion', weight: 1 }],
    rollout: null,
    fallback: null,
    versions: models.map(({ spec }) => spec),
    profiles: Object.fromEntries(models.map(({ spec, profile }) => [spec.versionId, profile])),
    ...more,
  };
}

export const contentOf = (bytes: Uint8Array): string => sha256(bytes);

function send(response: ServerResponse, status: number, value: unknown): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
