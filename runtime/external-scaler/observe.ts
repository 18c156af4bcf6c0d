import type { ExternalScalerMetrics } from './metrics';
import { eligibleReport } from './report';
import type { Scaler } from './scaler';

/** Sets the gauges from what is known now. */
export function observe(
  scaler: Scaler,
  metrics: ExternalScalerMetrics,
  { nowMs, monotonicMs }: { readonly nowMs: number; readonly monotonicMs: number },
): void {
  const { ledger, settings } = scaler;
  const world = scaler.world();
  metrics.identities.set(ledger.identities.size);
  metrics.waiting.set(ledger.queue.size);
  metrics.grants.set(ledger.grants.size);
  metrics.closed.set(world.closed === undefined ? 0 : 1);
  metrics.ownCount.set(scaler.source === 'own' ? 1 : 0);
  metrics.freeBerths.set(ledger.remaining(settings.cpuThreshold, monotonicMs, world));
  metrics.nodes.reset();
  let oldestMs = 0;
  for (const verdict of eligibleReport(scaler, nowMs).nodes) {
    metrics.nodes.inc({ state: verdict.rule ?? 'free' });
    if (verdict.eligible) oldestMs = Math.max(oldestMs, verdict.ageMs ?? 0);
  }
  metrics.readingAge.set(oldestMs / 1000);
}
