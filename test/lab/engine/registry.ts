import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import type { LabContext } from '../context';
import type { HostTools } from '../programs/host-packages';
import type { Daemon } from './daemon';

/** The lab's image registry: plain HTTP on the lab's own address, no users, deletes allowed. */
export async function registryDaemon(ctx: LabContext, tools: HostTools): Promise<Daemon> {
  const file = path.join(ctx.root, 'registry.yml');
  await writeFile(
    file,
    stringify({
      version: 0.1,
      log: { level: 'warn' },
      storage: {
        filesystem: { rootdirectory: path.join(ctx.root, 'registry') },
        delete: { enabled: true },
        // Another run's push is no business of this one's, and the lab is short-lived.
        maintenance: { uploadpurging: { enabled: false } },
      },
      http: { addr: ctx.registry },
    }),
  );
  return {
    name: 'registry',
    command: 'docker-registry',
    args: ['serve', file],
    env: { ...tools.env, OTEL_TRACES_EXPORTER: 'none' },
    ready: async () => {
      const answer = await fetch(`http://${ctx.registry}/v2/`);
      if (!answer.ok) throw new Error(`status ${answer.status}`);
    },
  };
}

/** Whether the registry has a manifest: `name`, and `reference` (a tag or a digest). */
export async function hasManifest(
  ctx: LabContext,
  name: string,
  reference: string,
): Promise<boolean> {
  const accept = [
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ].join(', ');
  const answer = await fetch(`http://${ctx.registry}/v2/${name}/manifests/${reference}`, {
    method: 'HEAD',
    headers: { accept },
  });
  if (answer.status !== 200 && answer.status !== 404) {
    throw new Error(`the registry answers ${answer.status} for ${name}:${reference}`);
  }
  return answer.ok;
}
