import type { Analytics } from '../ports/analytics.ts';

/** Whole files are read: minutes, where a dashboard's query has seconds. */
const TIMEOUT_MS = 30 * 60_000;

/** The same analytics with the time that work on whole files may take. */
export const patient = (analytics: Analytics): Analytics => ({
  query: (sql, parameters, options) => analytics.query(sql, parameters, { timeoutMs: TIMEOUT_MS, ...options }),
  run: (sql, parameters, options) => analytics.run(sql, parameters, { timeoutMs: TIMEOUT_MS, ...options }),
  close: () => analytics.close(),
});
