import { DURATION_BUCKETS } from './serve/arm-stats.ts';
import type { LiveEndpoint } from './serve/live-endpoint.ts';

export interface MetricsInput {
  readonly endpoints: Iterable<LiveEndpoint>;
  readonly inFlight: number;
  readonly shadowDepth: number;
  readonly rowsDropped: number;
  readonly logBytes: number;
  readonly spoolBytes: number;
  /** By endpoint and version. */
  readonly loads: readonly { readonly endpoint: string; readonly version: number; readonly seconds: number }[];
}

interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly lines: string[];
}

/** The Prometheus text of a gateway. No label holds an id or a value of the data. */
export function metricsText(input: MetricsInput): string {
  const endpoints = [...input.endpoints];
  const families = [
    requestFamily(endpoints),
    durationFamily(endpoints),
    gauge('levain_predict_inflight', 'Requests being read or answered.', [`levain_predict_inflight ${input.inFlight}`]),
    gauge('levain_predict_queue_depth', 'Requests that wait to be scored in shadow.', [
      `levain_predict_queue_depth{queue="shadow"} ${input.shadowDepth}`,
    ]),
    perEndpoint(endpoints, 'levain_predict_overloaded_total', 'Requests turned away.', ({ stats }) => stats.overloaded),
    perEndpoint(
      endpoints,
      'levain_shadow_dropped_total',
      'Requests not scored in shadow because too many waited.',
      ({ stats }) => stats.shadowDropped,
    ),
    counter('levain_log_dropped_total', 'Rows of the prediction log that were given up.', [
      `levain_log_dropped_total ${input.rowsDropped}`,
    ]),
    counter('levain_log_bytes_total', 'Bytes of prediction log written.', [`levain_log_bytes_total ${input.logBytes}`]),
    gauge('levain_spool_bytes', 'Bytes of prediction log that wait for the control plane.', [
      `levain_spool_bytes ${input.spoolBytes}`,
    ]),
    gauge(
      'levain_model_load_seconds',
      'How long a version took to load and test itself.',
      input.loads.map(
        ({ endpoint, version, seconds }) =>
          `levain_model_load_seconds${labels({ model: endpoint, version })} ${seconds}`,
      ),
    ),
    gauge('levain_model_info', 'Loaded versions.', infoLines(endpoints)),
  ];
  return families.map(familyText).join('');
}

const familyText = ({ name, type, help, lines }: Family): string =>
  lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`;

const gauge = (name: string, help: string, lines: string[]): Family => ({ name, type: 'gauge', help, lines });
const counter = (name: string, help: string, lines: string[]): Family => ({ name, type: 'counter', help, lines });

const perEndpoint = (
  endpoints: readonly LiveEndpoint[],
  name: string,
  help: string,
  read: (endpoint: LiveEndpoint) => number,
): Family =>
  counter(
    name,
    help,
    endpoints.map((endpoint) => `${name}${labels({ model: endpoint.name })} ${read(endpoint)}`),
  );

function requestFamily(endpoints: readonly LiveEndpoint[]): Family {
  const name = 'levain_predict_requests_total';
  const lines = endpoints.flatMap((endpoint) =>
    endpoint.stats.arms.flatMap(({ version, role, rehearsal, requests, errors, refused }) => {
      const of = (code: string): string =>
        labels({ model: endpoint.name, version, variant: rehearsal ? `${role}_rehearsal` : role, code });
      return [
        `${name}${of('ok')} ${requests - errors}`,
        `${name}${of('error')} ${errors}`,
        `${name}${of('refused')} ${refused}`,
      ];
    }),
  );
  return counter(name, 'Requests by model, version, variant and outcome.', lines);
}

function durationFamily(endpoints: readonly LiveEndpoint[]): Family {
  const name = 'levain_predict_duration_seconds';
  const lines = endpoints.flatMap((endpoint) =>
    endpoint.stats.arms.flatMap((arm) => {
      const of = {
        model: endpoint.name,
        version: arm.version,
        variant: arm.rehearsal ? `${arm.role}_rehearsal` : arm.role,
      };
      let sum = 0;
      const buckets = DURATION_BUCKETS.map((le, i) => {
        sum += arm.buckets[i]!;
        return `${name}_bucket${labels({ ...of, le })} ${sum}`;
      });
      return [
        ...buckets,
        `${name}_bucket${labels({ ...of, le: '+Inf' })} ${arm.requests}`,
        `${name}_sum${labels(of)} ${arm.durationSum}`,
        `${name}_count${labels(of)} ${arm.requests}`,
      ];
    }),
  );
  return { name, type: 'histogram', help: 'Seconds from the headers of a request to its answer.', lines };
}

const infoLines = (endpoints: readonly LiveEndpoint[]): string[] =>
  endpoints.flatMap(({ name, traffic }) =>
    [...(traffic?.versions.values() ?? [])].map(
      ({ spec }) =>
        `levain_model_info${labels({ model: name, version: spec.version, engine: spec.engine.kind, task: spec.task })} 1`,
    ),
  );

const labels = (pairs: Readonly<Record<string, string | number>>): string =>
  `{${Object.entries(pairs)
    .map(([key, value]) => `${key}="${String(value).replace(/["\\\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`)
    .join(',')}}`;
