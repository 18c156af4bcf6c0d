import type { KubeConfig } from '@kubernetes/client-node';
import { UserError } from '../user-error';
import { dumpMongo, isEmptyMongo, restoreCollection } from './mongo-dump';
import type { Backup, BackupWriter } from './folder';
import { dumpRedis, restoreRedis } from './redis-dump';
import { withMongo, withRedis } from './stores';

const REDIS_FILE = 'redis.jsonl';

/** Says what was done. */
type Say = (text: string) => void;

export async function backUpRedis(
  config: KubeConfig,
  url: string,
  writer: BackupWriter,
  say: Say,
): Promise<void> {
  const dump = await withRedis(config, url, dumpRedis);
  await writer.add('redis', REDIS_FILE, [Buffer.from(dump)]);
  say(`${dump.split('\n').length - 1} keys`);
}

export const isEmptyRedis = (config: KubeConfig, url: string): Promise<boolean> =>
  withRedis(config, url, async (redis) => (await redis.dbsize()) === 0);

export async function restoreRedisPart(
  config: KubeConfig,
  url: string,
  backup: Backup,
  say: Say,
): Promise<void> {
  const dump = await textOf(backup, REDIS_FILE);
  const count = await withRedis(config, url, (redis) => restoreRedis(redis, dump));
  say(`${count} keys`);
}

export async function backUpMongo(
  config: KubeConfig,
  url: string,
  writer: BackupWriter,
  say: Say,
): Promise<void> {
  await withMongo(config, url, async (client) => {
    for (const { database, collection, metadata, documents } of await dumpMongo(client)) {
      const path = collectionPath(database, collection);
      await writer.add('mongodb', `${path}.metadata.json`, [Buffer.from(metadata)]);
      let count = 0;
      const counted = async function* () {
        for await (const document of documents()) {
          count += 1;
          yield document;
        }
      };
      await writer.add('mongodb', `${path}.bson`, counted());
      say(`${database}.${collection}: ${count} documents`);
    }
  });
}

export async function restoreMongoPart(
  config: KubeConfig,
  url: string,
  backup: Backup,
  say: Say,
): Promise<void> {
  await withMongo(config, url, async (client) => {
    for (const { database, collection, path } of collectionsOf(backup)) {
      const metadata = await textOf(backup, `${path}.metadata.json`);
      const documents = backup.read(`${path}.bson`);
      const count = await restoreCollection(client, { database, collection, metadata, documents });
      say(`${database}.${collection}: ${count} documents`);
    }
  });
}

/** True where nothing is in the databases that a backup has. */
export const isEmptyMongoPart = (
  config: KubeConfig,
  url: string,
  backup: Backup,
): Promise<boolean> =>
  withMongo(config, url, (client) =>
    isEmptyMongo(
      client,
      collectionsOf(backup).map(({ database }) => database),
    ),
  );

/** As mongodump names them, in a folder for each database. */
const collectionPath = (database: string, collection: string): string =>
  `mongodb/${encodeURIComponent(database)}/${encodeURIComponent(collection)}`;

function collectionsOf({ manifest }: Backup): {
  readonly database: string;
  readonly collection: string;
  readonly path: string;
}[] {
  return manifest.files.flatMap((file) => {
    const [, database, collection] =
      /^mongodb\/([^/]+)\/([^/]+)\.bson$/.exec(file.path)?.map(decodeURIComponent) ?? [];
    return database === undefined || collection === undefined
      ? []
      : [{ database, collection, path: collectionPath(database, collection) }];
  });
}

async function textOf(backup: Backup, path: string): Promise<string> {
  if (!backup.has(path)) throw new UserError(`the backup has no ${path}`);
  const chunks: Buffer[] = [];
  for await (const chunk of backup.read(path)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
