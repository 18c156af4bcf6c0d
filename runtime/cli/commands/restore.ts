import type { KubeConfig } from '@kubernetes/client-node';
import { whileAutoscalerRests } from '../backup/autoscaler-rest';
import { backupStack, kubeConfigOf } from '../backup/backup-stack';
import { restoreDatastore } from '../backup/datastore';
import { openBackup, type Backup } from '../backup/folder';
import type { Part } from '../backup/manifest';
import {
  isEmptyMongoPart,
  isEmptyRedis,
  restoreMongoPart,
  restoreRedisPart,
} from '../backup/parts';
import { storeUrls, type StoreUrls } from '../backup/stores';
import type { CommandContext, CommonOptions } from '../command-context';
import type { ProxiedService } from '../service-proxy';
import { UserError } from '../user-error';

export interface RestoreOptions extends CommonOptions {
  /** Folder of the backup. */
  readonly from: string;
  /** Parts; all that the backup has without. */
  readonly only?: readonly string[];
  /** Take the place of what is there. */
  readonly replace?: boolean;
  /** Private key file for the hosts. */
  readonly identity?: string;
}

/** `npm run restore -- --from DIR`: puts a backup back, after all of it was checked. */
export async function restore(context: CommandContext, options: RestoreOptions): Promise<number> {
  const { folder, print, progress, signal } = context;
  const { from } = options;
  const backup = await progress.phase('Check the backup', () => openBackup(from));
  const { stack, takenAt, parts: has } = backup.manifest;
  if (stack !== folder.stack)
    throw new UserError(
      `${from}: is of stack ${stack}, and not of ${folder.stack}: add -s ${stack}`,
    );
  const asked = options.only?.length ? options.only : has;
  const missing = asked.filter((part) => !has.some((one) => one === part));
  if (missing.length > 0)
    throw new UserError(`--only ${missing.join(' ')}: ${from} has ${has.join(', ')}`);
  const { parts, autoscaler, ssh } = backupStack(folder, asked);
  const replace = options.replace === true;
  // A cluster that is put back brings the volumes' claims with it: so it comes first.
  if (ssh && parts.includes('datastore')) {
    if (!replace) throw new UserError(wouldReplace('the datastore of the cluster'));
    await progress.phase('k3s datastore', async (phase) =>
      phase.line(await restoreDatastore({ ssh, identity: options.identity, signal }, backup)),
    );
  }
  if (autoscaler && (parts.includes('redis') || parts.includes('mongodb'))) {
    const config = await kubeConfigOf(folder);
    await restoreStores(context, { config, autoscaler, backup, parts, replace });
  }
  print(`restored ${parts.join(', ')} of ${folder.stack} as of ${takenAt}`);
  return 0;
}

interface StoresArgs {
  readonly config: KubeConfig;
  readonly autoscaler: ProxiedService;
  readonly backup: Backup;
  readonly parts: readonly Part[];
  readonly replace: boolean;
}

async function restoreStores(
  { progress, signal }: CommandContext,
  { config, autoscaler, backup, parts, replace }: StoresArgs,
): Promise<void> {
  const urls = await storeUrls(config, autoscaler);
  // Before the autoscaler is disturbed, and again once it cannot write any more.
  if (!replace) await refuseToReplace(config, urls, backup, parts);
  await progress.phase('Autoscaler rests', (phase) =>
    whileAutoscalerRests(config, autoscaler, async () => {
      signal.throwIfAborted();
      if (!replace) await refuseToReplace(config, urls, backup, parts);
      if (parts.includes('redis'))
        await restoreRedisPart(config, urls.redis, backup, (text) => phase.line(`Redis: ${text}`));
      if (parts.includes('mongodb'))
        await restoreMongoPart(config, urls.mongodb, backup, (text) => phase.line(text));
    }),
  );
}

/** Both are looked at before either changes. */
async function refuseToReplace(
  config: KubeConfig,
  urls: StoreUrls,
  backup: Backup,
  parts: readonly Part[],
): Promise<void> {
  const full: string[] = [];
  if (parts.includes('redis') && !(await isEmptyRedis(config, urls.redis))) full.push('Redis');
  if (parts.includes('mongodb') && !(await isEmptyMongoPart(config, urls.mongodb, backup)))
    full.push('MongoDB');
  if (full.length > 0) throw new UserError(wouldReplace(`what is in ${full.join(' and ')}`));
}

const wouldReplace = (what: string): string =>
  `this replaces ${what}: add --replace where that is wanted; nothing was changed`;
