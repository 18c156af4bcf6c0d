import { Pool } from 'pg';
import type { Logger } from '../../shared/log';
import { ROW_COLUMNS } from '../policy/rows';
import type { RowStore } from '../ports';
import type { Row } from '../types';

export interface PostgresOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

const TIMEOUT_MS = 5000;

const CREATE_TABLE = `
  create table if not exists posture_log (
    id text primary key,
    analyzed_at timestamptz not null,
    job text not null,
    node text,
    image text not null,
    posture text not null,
    neck_degrees double precision,
    body_degrees double precision,
    confidence double precision,
    side text,
    annotated_image text,
    duration_ms integer not null,
    reason text
  )`;

const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const COLUMNS = ROW_COLUMNS.map(snakeCase);

const INSERT = `
  insert into posture_log (${COLUMNS.join(', ')})
  select ${COLUMNS.join(', ')} from json_populate_recordset(null::posture_log, $1)
  on conflict (id) do nothing`;

/** A row as the table has it: an empty field is null. */
const toRecord = (row: Row): Record<string, unknown> =>
  Object.fromEntries(
    ROW_COLUMNS.map((column) => [snakeCase(column), row[column] === '' ? null : row[column]]),
  );

/** Rows in table posture_log of a PostgreSQL database; the table is made when it is not there. */
export function postgresStore(options: PostgresOptions, log: Logger): RowStore {
  const pool = new Pool({
    ...options,
    max: 1,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    statement_timeout: TIMEOUT_MS,
    application_name: 'posture-analyzer',
  });
  // A connection that breaks while idle; the next query makes a new one.
  pool.on('error', (error) => log.warn({ event: 'database', err: error }, 'connection lost'));
  let tableExists = false;
  return {
    append: async (rows) => {
      if (!tableExists) await pool.query(CREATE_TABLE);
      tableExists = true;
      try {
        await pool.query(INSERT, [JSON.stringify(rows.map(toRecord))]);
      } catch (error) {
        // Whatever it was, the table may be gone.
        tableExists = false;
        throw error;
      }
    },
    close: () => pool.end(),
  };
}
