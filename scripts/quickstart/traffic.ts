import { dayName, type Flight } from './world.ts';

/** A flight that was answered: what its label will be sent for. */
export interface Answered {
  readonly predictionId: string;
  readonly date: number;
  readonly delay: number;
}

export interface DayOfTraffic {
  readonly answered: readonly Answered[];
  readonly requests: number;
  readonly failed: number;
  /** The first failure's words. */
  readonly failure: string | null;
}

export interface TrafficOptions {
  readonly gatewayUrl: string;
  readonly endpoint: string;
  /** Flights in one request, as a dispatcher would ask for the next departures. */
  readonly rowsPerRequest: number;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/** Asks the endpoint about flights, in order of departure, dated by their own departures. */
export async function sendTraffic(flights: readonly Flight[], options: TrafficOptions): Promise<DayOfTraffic> {
  const batches: Flight[][] = [];
  for (let i = 0; i < flights.length; i += options.rowsPerRequest)
    batches.push(flights.slice(i, i + options.rowsPerRequest));
  const answered: Answered[] = [];
  let failed = 0;
  let failure: string | null = null;
  let next = 0;
  const send = async (): Promise<void> => {
    while (next < batches.length && !options.signal.aborted) {
      const batch = batches[next++]!;
      const outcome = await ask(batch, options);
      if (typeof outcome === 'string') {
        failed += 1;
        failure ??= outcome;
      } else
        batch.forEach(
          (flight, i) => void answered.push({ predictionId: outcome[i]!, date: flight.date, delay: flight.delay }),
        );
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, send));
  return { answered, requests: batches.length, failed, failure };
}

/** The prediction ids of the rows, or what went wrong. */
async function ask(batch: readonly Flight[], options: TrafficOptions): Promise<readonly string[] | string> {
  try {
    const response = await fetch(`${options.gatewayUrl}/v2/models/${options.endpoint}/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(inferRequest(batch)),
      signal: options.signal,
    });
    const body = (await response.json()) as { parameters?: { prediction_ids?: string | string[] }; error?: string };
    if (!response.ok) return `${response.status} ${body.error ?? ''} (${dayName(batch[0]!.date)})`;
    const ids = body.parameters?.prediction_ids ?? [];
    return typeof ids === 'string' ? ids.split(',') : ids;
  } catch (error) {
    return error instanceof Error
      ? `${error.message}${error.cause instanceof Error ? `: ${error.cause.message}` : ''}`
      : String(error);
  }
}

/** An Open Inference Protocol request: raw rows, one input a column. */
export function inferRequest(batch: readonly Flight[]): unknown {
  const shape = [batch.length];
  return {
    parameters: { event_time: new Date(batch.at(-1)!.date).toISOString() },
    inputs: [
      { name: 'date', datatype: 'BYTES', shape, data: batch.map((f) => new Date(f.date).toISOString().slice(0, 19)) },
      { name: 'distance', datatype: 'FP64', shape, data: batch.map((f) => f.distance) },
      { name: 'origin', datatype: 'BYTES', shape, data: batch.map((f) => f.origin) },
      { name: 'destination', datatype: 'BYTES', shape, data: batch.map((f) => f.destination) },
    ],
  };
}
