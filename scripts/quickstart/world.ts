import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DuckDBConnection } from '@duckdb/node-api';

/** One flight as the file holds it; `date` is the scheduled departure, epoch ms (UTC). */
export interface Flight {
  readonly date: number;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

export const DAY_MS = 86_400_000;
export const day = (text: string): number => Date.parse(`${text}T00:00:00Z`);
export const dayName = (time: number): string => new Date(time).toISOString().slice(0, 10);

/**
 * The real flights of January to June 2001, dealt out as the story's days pass: weeks as files that become known, and days as
 * traffic. Everything is a fixed function of the file and the arguments.
 */
export interface World {
  readonly totalRows: number;
  /** Writes all flights of [from, to) as one Parquet file, whole or not at all; returns their number. */
  writeFile(path: string, from: number, to: number): Promise<number>;
  /** Like `writeFile`, with the faults of a bad export in the first rows: missing delays, a distance beyond the equator. */
  writeBrokenFile(path: string, from: number, to: number, brokenRows: number): Promise<number>;
  /** A fixed sample of the flights of [from, to), in order of departure. */
  flights(from: number, to: number, atMost: number): Promise<readonly Flight[]>;
  close(): void;
}

const SOURCE = fileURLToPath(new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url));

export async function openWorld(): Promise<World> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB' });
  const connection = await instance.connect();
  const table = `read_parquet('${SOURCE.replaceAll("'", "''")}')`;
  const total = await connection.runAndReadAll(`select count(*)::double from ${table}`);
  return {
    totalRows: Number(total.getRows()[0]![0]),
    writeFile: (path, from, to) => copyTo(connection, path, `select * from ${table} where ${between(from, to)}`),
    writeBrokenFile: (path, from, to, brokenRows) =>
      copyTo(connection, path, breakRows(`select * from ${table} where ${between(from, to)}`, brokenRows)),
    flights: (from, to, atMost) => sample(connection, table, from, to, atMost),
    close: () => connection.closeSync(),
  };
}

const timestamp = (time: number): string =>
  `timestamp '${new Date(time).toISOString().slice(0, 19).replace('T', ' ')}'`;
const between = (from: number, to: number): string => `date >= ${timestamp(from)} and date < ${timestamp(to)}`;

function breakRows(flights: string, brokenRows: number): string {
  const half = Math.floor(brokenRows / 2);
  return `select date, case when n <= ${half} then null else delay end as delay,
    case when n > ${half} and n <= ${brokenRows} then 99999 else distance end as distance, origin, destination
    from (select *, row_number() over (order by date, origin, destination, distance, delay) as n from (${flights}))`;
}

async function copyTo(connection: DuckDBConnection, path: string, query: string): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.part`;
  const ordered = `${query} order by date, origin, destination, distance, delay`;
  const result = await connection.runAndReadAll(
    `copy (${ordered}) to '${unfinished.replaceAll("'", "''")}' (format parquet, compression zstd)`,
  );
  await rename(unfinished, path);
  return Number(result.getRows()[0]![0]);
}

async function sample(
  connection: DuckDBConnection,
  table: string,
  from: number,
  to: number,
  atMost: number,
): Promise<readonly Flight[]> {
  const picked = `select * from ${table} where ${between(from, to)} order by hash(date, origin, destination, distance, delay), delay limit ${Math.floor(atMost)}`;
  const reader = await connection.runAndReadAll(
    `select epoch_ms(date)::double, delay::double, distance::double, origin, destination from (${picked}) order by date, origin, destination`,
  );
  return reader.getRows().map(([date, delay, distance, origin, destination]) => ({
    date: Number(date),
    delay: Number(delay),
    distance: Number(distance),
    origin: String(origin),
    destination: String(destination),
  }));
}
