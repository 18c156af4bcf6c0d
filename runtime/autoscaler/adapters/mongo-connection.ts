import { MongoClient } from 'mongodb';

/** How MongoDB is reached. */
export interface MongoOptions {
  /** With user and password. */
  readonly url: string;
  /** Time limit of connecting, and of one answer. */
  readonly timeoutMs: number;
}

/**
 * A client of MongoDB that connects when it is first used, and again by itself after MongoDB was away. A request is sent
 * once more where a connection broke; the requests of this service can be repeated.
 */
export function mongoClient({ url, timeoutMs }: MongoOptions): MongoClient {
  return new MongoClient(url, {
    appName: 'berth-autoscaler',
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    socketTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
    // What was not written to disk is gone after a crash, and the events' only other copy is deleted once this has them.
    writeConcern: { w: 'majority', journal: true },
  });
}
