import { BSON, type Collection, type Document, type MongoClient } from 'mongodb';

/** Databases that belong to the server itself. */
const OWN = new Set(['admin', 'config', 'local']);
/** What is sent at once, at most. */
const BATCH_DOCUMENTS = 200;
const BATCH_BYTES = 4 * 2 ** 20;
/** The longest document that MongoDB has is 16 MiB. */
const MAX_DOCUMENT_BYTES = 17 * 2 ** 20;
/** Keeps every type of the wire as it is. */
const UNCHANGED = { promoteValues: false, promoteLongs: false, promoteBuffers: false } as const;

/** A collection of a dump, in the two files that `mongodump` makes of it and `mongorestore` reads. */
export interface CollectionDump {
  readonly database: string;
  readonly collection: string;
  /** What makes its indexes again, as extended JSON. */
  readonly metadata: string;
  /** Its documents, one BSON document after the other. */
  documents(): AsyncIterable<Buffer>;
}

/** What a collection is made of again. */
export interface CollectionRestore extends Omit<CollectionDump, 'documents'> {
  readonly documents: AsyncIterable<Buffer>;
}

/** Every collection of a server but the server's own. Each is read as it is when its turn comes, as mongodump does. */
export async function dumpMongo(client: MongoClient): Promise<CollectionDump[]> {
  const dumps: CollectionDump[] = [];
  for (const database of await databases(client)) {
    const db = client.db(database);
    const found = await db.listCollections({}, { nameOnly: false }).toArray();
    for (const { name, type, options } of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (type === 'view' || name.startsWith('system.')) continue;
      const collection = db.collection(name);
      const indexes = await collection.listIndexes().toArray();
      const metadata = {
        options: options ?? {},
        indexes,
        collectionName: name,
        type: 'collection',
      };
      dumps.push({
        ...{ database, collection: name },
        metadata: BSON.EJSON.stringify(metadata, { relaxed: false }),
        documents: () => rawDocuments(collection),
      });
    }
  }
  return dumps;
}

async function* rawDocuments(collection: Collection): AsyncGenerator<Buffer> {
  // With `raw`, what comes is BSON, whatever the type says.
  for await (const document of collection.find({}, { raw: true }))
    yield document as unknown as Buffer;
}

/** The names of databases that are somebody's. */
async function databases(client: MongoClient): Promise<string[]> {
  const { databases: found } = await client.db().admin().listDatabases({ nameOnly: true });
  return found
    .map(({ name }) => name)
    .filter((name) => !OWN.has(name))
    .sort();
}

/** True where a server has no document in any of these databases. */
export async function isEmptyMongo(client: MongoClient, names: Iterable<string>): Promise<boolean> {
  for (const name of new Set(names)) {
    for (const { name: collection } of await client.db(name).listCollections().toArray())
      if ((await client.db(name).collection(collection).findOne({})) !== null) return false;
  }
  return true;
}

/** Makes one collection what its dump says: what is in it goes, then come its documents, then its indexes. */
export async function restoreCollection(
  client: MongoClient,
  { database, collection: name, metadata, documents }: CollectionRestore,
): Promise<number> {
  const { indexes = [], options = {} } = BSON.EJSON.parse(metadata) as {
    readonly indexes?: readonly Document[];
    readonly options?: Document;
  };
  const db = client.db(database);
  await db.collection(name).drop();
  await db.command({ create: name, ...options });
  const collection = db.collection(name);
  let count = 0;
  let bytes = 0;
  let batch: Document[] = [];
  const send = async () => {
    if (batch.length > 0) await collection.insertMany(batch, { writeConcern: { w: 'majority' } });
    count += batch.length;
    [batch, bytes] = [[], 0];
  };
  for await (const document of splitDocuments(documents)) {
    batch.push(BSON.deserialize(document, UNCHANGED));
    bytes += document.length;
    if (batch.length >= BATCH_DOCUMENTS || bytes >= BATCH_BYTES) await send();
  }
  await send();
  const more = indexes
    .filter(({ name: index }) => index !== '_id_')
    .map((index) => withoutKeys(index, ['ns', 'v']));
  if (more.length > 0) await db.command({ createIndexes: name, indexes: more });
  return count;
}

/** Of an index, the server that makes it chooses the version and the namespace. */
const withoutKeys = (index: Document, keys: readonly string[]): Document =>
  Object.fromEntries(Object.entries(index).filter(([key]) => !keys.includes(key)));

/**
 * The documents of a stream of BSON documents, however it is cut.
 * @throws Error where it ends amid a document, or is no BSON.
 */
export async function* splitDocuments(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 4) {
      const length = rest.readInt32LE(at);
      if (length < 5 || length > MAX_DOCUMENT_BYTES)
        throw new Error(`is no BSON: a document of ${length} bytes`);
      if (rest.length - at < length) break;
      yield rest.subarray(at, at + length);
      at += length;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw new Error('ends amid a document');
}
