/** Every bound of the data plane, in one place. */
export const LIMITS = {
  /** A request body. */
  bodyBytes: 16 * 2 ** 20,
  /** Nesting of JSON. */
  jsonDepth: 32,
  /** Rows of one request. */
  rows: 10_000,
  /** Columns of one request. */
  columns: 4_096,
  /** Characters of an id, entity, rehearsal or caller that is logged. */
  idCharacters: 256,
  /** Characters of an error that is logged. */
  errorCharacters: 500,
  /** Requests that are being read or answered, all endpoints together. */
  inFlight: 1_024,
  /** Requests of one endpoint that wait for a Python worker. */
  waitingPerEndpoint: 256,
  /** Requests that wait to be scored in shadow. */
  shadowQueue: 256,
  /** A prediction that takes longer is given up. */
  deadlineMs: 60_000,
  /** Rows that the event loop scores in one go, by their measured cost. */
  sliceMicros: 2_000,
  /** How far ahead of wall time an event may be dated. */
  aheadMs: 5 * 60_000,
  /** Rows of one log segment, and how long the first of them waits. */
  segmentRows: 512,
  segmentMs: 100,
  /** Full batches that may wait for the disk; beyond it rows are dropped, never counters. */
  waitingBatches: 256,
  /** Segments on disk. */
  spoolBytes: 2 ** 30,
  /** Latches that are remembered. */
  latches: 1_000,
  /** How long a drained version may finish its requests. */
  drainMs: 5_000,
} as const;
