import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { LabContext } from '../context';
import type { DebianArch } from '../debian';
import type { Layer } from './layer';

/** The part of an image's configuration that says how its containers start. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
}

/** An image for one or more processors. */
export interface ImageSpec {
  /** Repository in the lab's registry, as the name is after its registry's. */
  readonly name: string;
  readonly tag: string;
  readonly config: ImageConfig;
  /** Layers for each processor, lowest first. */
  readonly layers: Readonly<Partial<Record<DebianArch, readonly Layer[]>>>;
}

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/**
 * Pushes an image as an index to the lab's registry. The same layers give the same digests, and what the registry has is
 * not sent again.
 * @throws Error naming the request that the registry refused
 */
export async function pushImage(ctx: LabContext, image: ImageSpec): Promise<void> {
  const base = `http://${ctx.registry}/v2/${image.name}`;
  const manifests: (Descriptor & { platform: object })[] = [];
  for (const [architecture, layers] of Object.entries(image.layers)) {
    for (const layer of layers) await pushBlob(base, layer, () => createReadStream(layer.file));
    const config = Buffer.from(
      JSON.stringify({
        architecture,
        os: 'linux',
        config: image.config,
        rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
      }),
    );
    const described = describe(CONFIG, config);
    await pushBlob(base, described, () => config);
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: described,
        layers: layers.map(({ digest, size }) => ({ mediaType: LAYER, digest, size })),
      }),
    );
    const entry = describe(MANIFEST, manifest);
    await pushManifest(base, entry.digest, entry, manifest);
    manifests.push({ ...entry, platform: { architecture, os: 'linux' } });
  }
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
  await pushManifest(base, image.tag, describe(INDEX, index), index);
}

function describe(mediaType: string, content: Buffer): Descriptor {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  return { mediaType, digest, size: content.length };
}

async function pushManifest(
  base: string,
  reference: string,
  { mediaType, digest }: Descriptor,
  content: Buffer,
): Promise<void> {
  const url = `${base}/manifests/${reference}`;
  const known = await fetch(url, { method: 'HEAD', headers: { accept: mediaType } });
  if (known.ok && known.headers.get('docker-content-digest') === digest) return;
  await request(url, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: new Uint8Array(content),
  });
}

async function pushBlob(
  base: string,
  blob: { readonly digest: string; readonly size: number },
  content: () => Buffer | NodeJS.ReadableStream,
): Promise<void> {
  const known = await fetch(`${base}/blobs/${blob.digest}`, { method: 'HEAD' });
  if (known.ok) return;
  const started = await request(`${base}/blobs/uploads/`, { method: 'POST' });
  const url = new URL(started.headers.get('location') ?? '', base);
  url.searchParams.set('digest', blob.digest);
  const body = content();
  await request(url.href, {
    method: 'PUT',
    headers: {
      'content-type': 'application/octet-stream',
      // Of a buffer it is known, and to say it twice is an error.
      ...(Buffer.isBuffer(body) ? {} : { 'content-length': String(blob.size) }),
    },
    body: body as unknown as ReadableStream,
    duplex: 'half',
  });
}

async function request(
  url: string,
  options: RequestInit & { readonly duplex?: 'half' },
): Promise<Response> {
  const answer = await fetch(url, options);
  if (answer.ok) return answer;
  const text = (await answer.text()).slice(0, 300);
  throw new Error(`the registry answers ${answer.status} to ${options.method} ${url}: ${text}`);
}
