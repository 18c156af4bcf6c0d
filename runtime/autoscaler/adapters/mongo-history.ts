import { MongoBulkWriteError, type Collection, type Db } from 'mongodb';
import type { z } from 'zod';
import type { History, HistoryQuery } from '../ports';
import type { ScalingEvent, WorkerRecord } from '../types';
import { withinLimit } from './mongo-limit';
import { eventSchema, workerSchema } from './records';

/** A document; its id is the event's id, or the worker's name. */
interface Stored {
  readonly _id: string;
  readonly [field: string]: unknown;
}

/** What MongoDB says where a document with this id is there already. */
const DUPLICATE_KEY = 11000;

/** Called with a document that cannot be read, which is then passed over. */
export type OnBadDocument = (collection: string, id: string, error: unknown) => void;

/**
 * History in MongoDB: the collections `events` and `workers`. Every method rejects while MongoDB is away, within the time
 * limit, and can be repeated. Indexes are made with the first request that MongoDB answers.
 */
export class MongoHistory implements History {
  readonly #events: Collection<Stored>;
  readonly #workers: Collection<Stored>;
  #indexed: Promise<void> | undefined;

  constructor(
    database: Db,
    /** Time limit of each method. */
    private readonly timeoutMs: number,
    private readonly onBad: OnBadDocument,
  ) {
    this.#events = database.collection('events');
    this.#workers = database.collection('workers');
  }

  addEvents(events: readonly ScalingEvent[]): Promise<void> {
    if (events.length === 0) return Promise.resolve();
    const writes = events.map(({ id, ...event }) => ({
      updateOne: { filter: { _id: id }, update: { $setOnInsert: event }, upsert: true },
    }));
    return this.#within(async () => {
      await this.#events.bulkWrite(writes, { ordered: false }).catch(unlessThere);
    });
  }

  events({ limit, sinceMs }: HistoryQuery): Promise<readonly ScalingEvent[]> {
    // MongoDB takes a limit of 0 for none.
    if (limit <= 0) return Promise.resolve([]);
    const filter = sinceMs === undefined ? {} : { atMs: { $gte: sinceMs } };
    const latestFirst = { atMs: -1, _id: -1 } as const;
    return this.#within(async () => {
      const found = await this.#events.find(filter).sort(latestFirst).limit(limit).toArray();
      return found.flatMap(({ _id, ...fields }) =>
        this.#read(this.#events, _id, { id: _id, ...fields }, eventSchema),
      );
    });
  }

  workers(): Promise<readonly WorkerRecord[]> {
    return this.#within(async () => {
      const found = await this.#workers.find({ removedAtMs: null }).sort({ number: 1 }).toArray();
      return found.flatMap(({ _id, ...fields }) =>
        this.#read(this.#workers, _id, { name: _id, ...fields }, workerSchema),
      );
    });
  }

  putWorker({ name, ...record }: WorkerRecord): Promise<void> {
    return this.#within(async () => {
      const document = { ...record, removedAtMs: null };
      await this.#workers.replaceOne({ _id: name }, document, { upsert: true });
    });
  }

  removeWorker(name: string, atMs: number): Promise<void> {
    return this.#within(async () => {
      const there = { _id: name, removedAtMs: null };
      await this.#workers.updateOne(there, { $set: { removedAtMs: atMs } });
    });
  }

  /** Does something once the indexes are there. @throws when it fails or takes too long, and may then happen yet */
  #within<T>(act: () => Promise<T>): Promise<T> {
    return withinLimit(this.timeoutMs, this.#ensureIndexes().then(act));
  }

  /** Made once; tried again with the next request where MongoDB was away. */
  #ensureIndexes(): Promise<void> {
    this.#indexed ??= this.#makeIndexes().catch((error: unknown) => {
      this.#indexed = undefined;
      throw error;
    });
    return this.#indexed;
  }

  async #makeIndexes(): Promise<void> {
    await this.#events.createIndex({ atMs: -1, _id: -1 });
    await this.#workers.createIndex({ removedAtMs: 1, number: 1 });
  }

  #read<T>(
    { collectionName }: Collection<Stored>,
    id: string,
    fields: unknown,
    schema: z.ZodType<T>,
  ): T[] {
    const parsed = schema.safeParse(fields);
    if (parsed.success) return [parsed.data];
    this.onBad(collectionName, id, parsed.error);
    return [];
  }
}

/** That others have written the same events meanwhile is no error. */
function unlessThere(error: unknown): void {
  if (!(error instanceof MongoBulkWriteError)) throw error;
  const all = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  if (all.length === 0 || all.some(({ code }) => code !== DUPLICATE_KEY)) throw error;
}
