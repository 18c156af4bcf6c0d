import { backupStack, kubeConfigOf } from '../backup/backup-stack';
import { backUpDatastore } from '../backup/datastore';
import { createBackup } from '../backup/folder';
import { backUpMongo, backUpRedis } from '../backup/parts';
import { storeUrls } from '../backup/stores';
import type { CommandContext, CommonOptions } from '../command-context';

export interface BackupOptions extends CommonOptions {
  /** Folder of the backup, which must be empty or not there. */
  readonly to: string;
  /** Parts; all that the stack has without. */
  readonly only?: readonly string[];
  /** Private key file for the hosts. */
  readonly identity?: string;
}

/** `npm run backup -- --to DIR`: what `npm run up` could not make again, in files that only their owner reads. */
export async function backup(context: CommandContext, options: BackupOptions): Promise<number> {
  const { folder, print, progress, signal } = context;
  const { parts, autoscaler, ssh } = backupStack(folder, options.only);
  const takenAt = new Date();
  const writer = await createBackup(options.to);
  try {
    if (autoscaler && (parts.includes('redis') || parts.includes('mongodb'))) {
      const config = await kubeConfigOf(folder);
      const urls = await storeUrls(config, autoscaler);
      if (parts.includes('redis'))
        await progress.phase('Redis', (phase) =>
          backUpRedis(config, urls.redis, writer, (text) => phase.line(text)),
        );
      signal.throwIfAborted();
      if (parts.includes('mongodb'))
        await progress.phase('MongoDB', (phase) =>
          backUpMongo(config, urls.mongodb, writer, (text) => phase.line(text)),
        );
      signal.throwIfAborted();
    }
    if (ssh && parts.includes('datastore'))
      await progress.phase('k3s datastore', () =>
        backUpDatastore({ ssh, identity: options.identity, signal }, writer),
      );
    signal.throwIfAborted();
    const manifest = await writer.finish(folder.stack, takenAt, parts);
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    print(
      options.json
        ? JSON.stringify(manifest, null, 2)
        : `backed up ${parts.join(', ')} of ${folder.stack} (${manifest.files.length} files, ${bytes} bytes) to ${options.to}: it holds secrets, keep it as one`,
    );
    return 0;
  } catch (error) {
    await writer.discard();
    throw error;
  }
}
