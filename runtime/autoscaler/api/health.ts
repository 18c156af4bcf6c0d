import type { Autoscaler } from '../service';

/**
 * How the service is, and what it talks to. `ok` is false while it cannot act: nodes and pods were not listed yet, or
 * Redis or Docker is away. Without Prometheus, MongoDB or the event bus it is degraded, and goes on.
 */
export function healthOf({ parts, stores, bus }: Autoscaler) {
  const { watch, cpu, memory } = parts;
  const redis = stores.state('redis');
  const mongodb = stores.state('mongodb');
  const docker = stores.state('docker');
  const eventBus = bus.health();
  const ok = watch.synced && redis.state === 'up' && docker.state === 'up';
  const isWhole =
    mongodb.state === 'up' &&
    cpu.problem === undefined &&
    memory.problem === undefined &&
    eventBus.state === 'healthy';
  return {
    ok,
    status: !ok ? 'unhealthy' : isWhole ? 'healthy' : 'degraded',
    kubernetes: { state: watch.synced ? 'up' : 'unknown' },
    prometheus: { cpu: cpu.problem ?? 'known', memory: memory.problem ?? 'known' },
    ...{ redis, mongodb, docker, eventBus },
  };
}
