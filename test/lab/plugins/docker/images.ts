import type { CallContext } from '../shared';
import { unlessGone, type EngineApi } from './engine-api';

/** What the engine says of an image. */
export interface ImageInfo {
  Id: string;
  RepoTags: string[] | null;
  RepoDigests: string[] | null;
}

interface PullLine {
  status?: string;
  error?: string;
}

/** The image as the engine has it, or nothing. */
export function inspectImage(
  engine: EngineApi,
  name: string,
  signal: AbortSignal,
): Promise<ImageInfo | undefined> {
  return unlessGone(engine.json<ImageInfo>('GET', `/images/${name}/json`, { signal }));
}

/**
 * The image, pulled when the engine does not have it.
 *
 * @throws Error with the registry's words when it cannot be had.
 */
export async function ensureImage(
  engine: EngineApi,
  name: string,
  context: CallContext,
  platform?: string,
): Promise<ImageInfo> {
  const local = await inspectImage(engine, name, context.signal);
  if (local !== undefined) return local;
  context.status(`pulling ${name}`);
  let failure: string | undefined;
  const query = { ...pullQuery(name), platform };
  const onLine = (line: PullLine) => (failure ??= line.error);
  try {
    await engine.lines('POST', '/images/create', { query, signal: context.signal }, onLine);
  } catch (error) {
    failure = (error as Error).message;
  }
  if (failure !== undefined) throw new Error(`error pulling image ${name}: ${failure}`);
  const pulled = await inspectImage(engine, name, context.signal);
  if (pulled === undefined) throw new Error(`image ${name} was pulled, but the engine lacks it`);
  return pulled;
}

/** Name and tag or digest as the engine's pull call wants them; without a tag it would pull every one. */
export function pullQuery(name: string): { fromImage: string; tag: string } {
  const at = name.indexOf('@');
  if (at >= 0) {
    const tagged = name.slice(0, at);
    return { fromImage: withoutTag(tagged), tag: name.slice(at + 1) };
  }
  const fromImage = withoutTag(name);
  return { fromImage, tag: name.slice(fromImage.length + 1) || 'latest' };
}

/** A colon after the last slash starts the tag; one before it belongs to the registry's port. */
function withoutTag(name: string): string {
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}
