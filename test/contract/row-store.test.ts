import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { pino } from 'pino';
import { csvStore } from '../../runtime/analyzer/adapters/csv-store';
import { memoryStore } from '../../runtime/analyzer/adapters/memory';
import { postgresStore } from '../../runtime/analyzer/adapters/postgres-store';
import type { RowStore } from '../../runtime/analyzer/ports';
import type { Row } from '../../runtime/analyzer/types';
import { row } from '../policy/analyzer/rows-of';
import { createPostgres, type Postgres } from '../wire/support/postgres';

/** A store with what the suite needs to look into it and to take it away. */
interface Subject {
  readonly store: RowStore;
  /** Stored values as text, oldest first, columns as in a row; empty where there is none. */
  rows(): Promise<Record<keyof Row, string>[]>;
  takeAway(): Promise<void>;
  giveBack(): Promise<void>;
  remove(): Promise<void>;
}

const asText = (value: Row): Record<string, string> =>
  Object.fromEntries(Object.entries(value).map(([name, field]) => [name, String(field)]));

/** What every row store promises. */
function keepsRows(name: string, create: () => Promise<Subject>): void {
  describe(`row store: ${name}`, () => {
    let subject: Subject;
    before(async function () {
      this.timeout(300_000);
      subject = await create();
    });
    after(() => subject?.remove());

    it('keeps every field of a row, whatever characters are in it', async () => {
      const strange = row('strange', { image: 'images/a,"b"\\;\' é 姿勢.jpg', reason: '=1+1' });
      const error = row('error', {
        posture: 'Error',
        neckDegrees: '',
        bodyDegrees: '',
        confidence: '',
        side: '',
        annotatedImage: '',
        reason: 'truncated',
      });
      await subject.store.append([strange, error]);
      assert.deepEqual(await subject.rows(), [asText(strange), asText(error)]);
    });

    it('keeps rows in the order in which they were given, from callers at the same time as well', async () => {
      const ids = Array.from({ length: 20 }, (_, index) => `n${String(index).padStart(2, '0')}`);
      await Promise.all(ids.map((id) => subject.store.append([row(id)])));
      const stored = (await subject.rows()).map(({ id }) => id).filter((id) => id.startsWith('n'));
      assert.deepEqual(stored, ids);
    });

    it('rejects while it is away, and has each row once when it is given again', async () => {
      await subject.takeAway();
      await assert.rejects(subject.store.append([row('again-1'), row('again-2')]));
      await subject.giveBack();
      await subject.store.append([row('again-1'), row('again-2'), row('again-3')]);
      const stored = (await subject.rows()).map(({ id }) => id);
      assert.deepEqual(
        stored.filter((id) => id.startsWith('again')),
        ['again-1', 'again-2', 'again-3'],
      );
    }).timeout(120_000);
  });
}

keepsRows('memory', () => {
  const store = memoryStore();
  return Promise.resolve({
    store,
    rows: () => Promise.resolve(store.rows.map(asText) as Record<keyof Row, string>[]),
    takeAway: () => Promise.resolve(store.failNext(new Error('away'))),
    giveBack: () => Promise.resolve(),
    remove: () => store.close(),
  });
});

keepsRows('CSV file', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-csv-'));
  const output = path.join(folder, 'output');
  await mkdir(output);
  const file = path.join(output, 'rows.csv');
  const store = csvStore(file, Date.now);
  return {
    store,
    rows: async () => parse(await readFile(file, 'utf8'), { columns: true }),
    takeAway: () => rename(output, `${output}.away`),
    giveBack: () => rename(`${output}.away`, output),
    remove: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

keepsRows('PostgreSQL', async () => {
  const postgres: Postgres = await createPostgres();
  await postgres.start();
  const store = postgresStore(postgres.options, pino({ level: 'silent' }));
  const camelCase = (name: string) =>
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return {
    store,
    rows: async () =>
      (await postgres.query('select * from posture_log order by ctid')).map((record) =>
        Object.fromEntries(
          Object.entries(record).map(([name, value]) => [
            camelCase(name),
            value === null ? '' : value instanceof Date ? value.toISOString() : String(value),
          ]),
        ),
      ) as Record<keyof Row, string>[],
    takeAway: () => postgres.kill(),
    giveBack: () => postgres.start(),
    remove: async () => {
      await store.close();
      await postgres.remove();
    },
  };
});

describe('PostgreSQL row store', () => {
  it('stores a row once even when it is given twice, since the answer to the first time may be lost', async () => {
    const postgres = await createPostgres();
    await postgres.start();
    const store = postgresStore(postgres.options, pino({ level: 'silent' }));
    try {
      await store.append([row('a')]);
      await store.append([row('a'), row('b')]);
      const stored = await postgres.query('select id from posture_log order by id');
      assert.deepEqual(stored, [{ id: 'a' }, { id: 'b' }]);
      await postgres.query('drop table posture_log');
      await assert.rejects(store.append([row('c')]));
      await store.append([row('c')]);
      assert.deepEqual(await postgres.query('select id from posture_log'), [{ id: 'c' }]);
    } finally {
      await store.close();
      await postgres.remove();
    }
  }).timeout(300_000);
});

describe('CSV row store', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'berth-csv-'));
    file = path.join(folder, 'rows.csv');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('appends to what an earlier run has written, with one header', async () => {
    await csvStore(file, Date.now).append([row('a')]);
    await csvStore(file, Date.now).append([row('b')]);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    assert.equal(
      lines[0],
      'id,analyzedAt,job,node,image,posture,neckDegrees,bodyDegrees,confidence,side,annotatedImage,durationMs,reason',
    );
    assert.equal(lines.length, 3);
  });

  it('ends a line that a crash has cut off', async () => {
    await csvStore(file, Date.now).append([row('a'), row('b')]);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.slice(0, -20));
    await csvStore(file, Date.now).append([row('c')]);
    const rows = parse(await readFile(file, 'utf8'), { columns: true, relax_column_count: true });
    assert.deepEqual(
      (rows as unknown as { id: string }[]).map(({ id }) => id),
      ['a', 'b', 'c'],
    );
  });

  it('keeps a file with other columns aside', async () => {
    await writeFile(file, 'a,b\n1,2\n');
    await csvStore(file, () => 42).append([row('a')]);
    assert.equal(await readFile(`${file}.42.old`, 'utf8'), 'a,b\n1,2\n');
    assert.equal(parse(await readFile(file, 'utf8'), { columns: true }).length, 1);
  });
});
