import { InitError, type Props } from '../../shared';
import type { KubeObject } from '../api/cluster';
import type { ObjectType } from '../api/token';
import { isSet } from '../objects/annotations';
import type { Session } from '../session';
import { readiness, SETTLED_MS } from './predicates';
import { problems } from './problems';
import { RelatedObjects } from './related';

/**
 * Says, on a refresh, that an object is there but not ready: the state keeps the reasons, and the next update waits
 * for it again.
 * @throws InitError
 */
export async function checkReady(
  session: Session,
  type: ObjectType,
  live: KubeObject,
  found: { id: string; inputs: Props; outputs: Props },
  inputs: Props,
  signal: AbortSignal,
): Promise<void> {
  const isReady = readiness(type.apiVersion, type.kind);
  if (!isReady || type.patch || isSet(inputs, 'skipAwait')) return;
  const related = await new RelatedObjects(session).of(live, signal);
  const progress = isReady(live, { ...related, endpointsSettledMs: SETTLED_MS });
  if (progress.ready) return;
  const why = progress.failed ?? progress.message;
  const reasons = [
    `${type.kind} ${found.id}: ${why}`,
    ...(await problems(await session.cluster(), live)),
  ];
  throw new InitError(found.id, found.outputs, reasons, found.inputs);
}
