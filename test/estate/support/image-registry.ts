import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** What a manifest or an index of an image says of one of its parts. */
export interface Descriptor {
  readonly digest: string;
  readonly mediaType: string;
  readonly platform?: { readonly os: string; readonly architecture: string };
}

/** An index has manifests, a manifest a configuration and layers. */
export interface Manifest {
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const CHUNK_BYTES = 2 ** 20;

/** Splits `host:port/path@digest`. */
export function parts(reference: string) {
  const [, host = '', path = '', digest = ''] = /^([^/]+)\/(.+)@(sha256:.+)$/.exec(reference) ?? [];
  return { host, path, digest };
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url, { headers: { accept: ACCEPT } });
  assert.equal(response.status, 200, url);
  return response;
}

/** A manifest or an index, by its digest or by a tag. */
export async function fetchManifest(host: string, path: string, digest: string): Promise<Manifest> {
  return (await (await get(`http://${host}/v2/${path}/manifests/${digest}`)).json()) as Manifest;
}

/** The bytes of a layer or of a configuration, unpacked. */
export async function fetchBlob(host: string, path: string, blob: Descriptor): Promise<Readable> {
  const { body } = await get(`http://${host}/v2/${path}/blobs/${blob.digest}`);
  assert.ok(body, blob.digest);
  const stream = Readable.fromWeb(body as never);
  if (/gzip$/.test(blob.mediaType)) return stream.pipe(createGunzip({ chunkSize: CHUNK_BYTES }));
  assert.match(blob.mediaType, /json$|tar$/, 'a form in which this knows how to look');
  return stream;
}

/** Paths of the repositories below a folder of a registry. */
export async function repositories(host: string, folder: string): Promise<string[]> {
  const answer = await get(`http://${host}/v2/_catalog?n=1000`);
  const { repositories: all } = (await answer.json()) as { repositories: string[] };
  return all.filter((path) => path.startsWith(`${folder}/`));
}

/** Every configuration and layer of an image, whatever the platform. */
export async function blobsOf(host: string, path: string, digest: string): Promise<Descriptor[]> {
  const { manifests = [], config, layers = [] } = await fetchManifest(host, path, digest);
  const inner = await Promise.all(manifests.map((one) => blobsOf(host, path, one.digest)));
  return [...(config === undefined ? [] : [config]), ...layers, ...inner.flat()];
}
