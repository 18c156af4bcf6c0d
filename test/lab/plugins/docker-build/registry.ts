import type { CallContext } from '../shared';
import type { Registry } from './image-schema';
import { parseReference } from './reference';

const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

const TIMEOUT_MS = 120_000;

/**
 * Whether the registry of `tag` holds the manifest.
 *
 * @throws Error when it does not say: no answer, no permission, an error of its own.
 */
export async function hasManifest(
  tag: string,
  digest: string,
  registries: readonly Registry[],
  context: CallContext,
): Promise<boolean> {
  const response = await call('HEAD', tag, digest, registries, context);
  if (response.status === 404) return false;
  if (response.ok) return true;
  throw new Error(`${tag}: the registry answered ${response.status} ${response.statusText}`);
}

/** Asks the registry of `tag` to forget the manifest; many do not allow that, so a refusal is no error. */
export async function deleteManifest(
  tag: string,
  digest: string,
  registries: readonly Registry[],
  context: CallContext,
): Promise<void> {
  await call('DELETE', tag, digest, registries, context).catch((error: Error) =>
    context.log('debug', `${tag}@${digest} stays in its registry: ${error.message}`),
  );
}

async function call(
  method: string,
  tag: string,
  digest: string,
  registries: readonly Registry[],
  context: CallContext,
): Promise<Response> {
  const { registry, repository } = parseReference(tag);
  const known = registries.findLast(({ address }) => hostOf(address) === registry);
  const basic = known && Buffer.from(`${known.username ?? ''}:${known.password ?? ''}`);
  const headers: Record<string, string> = { Accept: MANIFESTS };
  if (basic) headers.Authorization = `Basic ${basic.toString('base64')}`;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const url = `${schemeOf(registry)}://${registry}/v2/${repository}/manifests/${digest}`;
  try {
    return await fetch(url, { method, headers, signal });
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error };
    throw new Error(`registry ${registry} does not answer: ${cause?.message ?? message}`);
  }
}

const hostOf = (address: string) => address.replace(/^https?:\/\//, '').replace(/\/.*$/, '');

/** A registry on this machine or on a private address speaks plain HTTP, as Docker assumes for `localhost`. */
export function schemeOf(registry: string): 'http' | 'https' {
  const host = registry.replace(/:\d+$/, '');
  const isPrivate = /^(localhost|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(host);
  return isPrivate ? 'http' : 'https';
}
