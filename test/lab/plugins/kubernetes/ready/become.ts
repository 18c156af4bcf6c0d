import { InitError, type CallContext, type Props } from '../../shared';
import type { KubeObject } from '../api/cluster';
import type { ObjectType } from '../api/token';
import { isSet, timeoutOf } from '../objects/annotations';
import { idOfLive, outputsOf } from '../objects/outputs';
import type { Session } from '../session';
import { changes } from './changes';
import { readiness } from './predicates';
import { problems } from './problems';
import { RelatedObjects } from './related';

/**
 * Waits until an object is ready, as the official provider understands it, and returns it as it is then. When it
 * fails, the time is up or the user cancels, the object stays in the state with the reasons.
 * @throws InitError
 */
export async function becomeReady(
  session: Session,
  type: ObjectType,
  made: KubeObject,
  inputs: Props,
  options: { timeoutMs?: number; context: CallContext; manager: string },
): Promise<KubeObject> {
  const isReady = readiness(type.apiVersion, type.kind);
  if (!isReady || type.patch || isSet(inputs, 'skipAwait')) return made;

  const { context } = options;
  const cluster = await session.cluster();
  const kind = await session.requireKind(type);
  const { namespace, name } = made.metadata;
  const path = await session.path(type, kind, namespace, name);
  const fieldSelector = `metadata.name=${name}`;
  const sources = [{ path: await session.path(type, kind, namespace), fieldSelector }];
  if (type.kind === 'Service') {
    sources.push({ path: `/api/v1/namespaces/${namespace}/endpoints`, fieldSelector });
  }
  const timeoutMs = timeoutOf(inputs, options.timeoutMs);
  const related = new RelatedObjects(session);
  let live = made;
  const giveUp = async (why: string): Promise<never> => {
    const reasons = [`${type.kind} ${idOfLive(live)}: ${why}`, ...(await problems(cluster, live))];
    throw new InitError(idOfLive(live), outputsOf(live, options.manager), reasons);
  };

  let message = 'was not looked at yet';
  try {
    for await (const tick of changes(cluster, sources, { timeoutMs, signal: context.signal })) {
      live = await cluster.request('GET', path, { signal: context.signal });
      const progress = isReady(live, await related.of(live, context.signal));
      if (progress.ready) {
        context.status('');
        return live;
      }
      message = progress.message;
      if (progress.failed !== undefined) await giveUp(progress.failed);
      if (tick === 'timeout') break;
      const found = await problems(cluster, live);
      context.status([message, ...found.slice(0, 2)].join('; '));
    }
  } catch (error) {
    if (error instanceof InitError) throw error;
    const why = context.signal.aborted ? `cancelled while ${message}` : (error as Error).message;
    return giveUp(why);
  }
  return giveUp(`not ready after ${timeoutMs / 1000} s: ${message}`);
}
