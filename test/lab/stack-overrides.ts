import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import { chartFolder } from './charts/assembled';
import type { LabContext } from './context';
import { MIRRORED_REGISTRIES } from './engine/buildkit';
import { k3sContainerOptions } from './k3s';

/** The config keys by which an estate runs on the lab: no code knows of it. */
export function stackOverrides(ctx: LabContext): Record<string, unknown> {
  const endpoint = [`http://${ctx.registry}`];
  const mirrored = [...MIRRORED_REGISTRIES, ctx.registry].map((name) => [name, { endpoint }]);
  return {
    'berth:cluster': {
      docker: {
        ...k3sContainerOptions,
        host: ctx.dockerHost,
        apiAddress: ctx.address,
        apiPort: ctx.kubeApiPort,
        registries: { mirrors: Object.fromEntries(mirrored) as Record<string, unknown> },
        hostCpus: cpus().length,
        hostMemoryMb: Math.floor(totalmem() / 2 ** 20),
      },
    },
    'berth:images': { registry: `${ctx.registry}/berth`, builder: ctx.builderName },
    'berth:platform': {
      prometheus: {
        chart: path.join(__dirname, 'charts', 'kube-prometheus-stack'),
        repository: '',
        version: '',
      },
      keda: { chart: chartFolder(ctx, 'keda'), repository: '', version: '' },
      traefik: { chart: chartFolder(ctx, 'traefik'), repository: '', version: '' },
      // The lab's k3s has no addons.
      metricsServer: {
        enabled: true,
        chart: chartFolder(ctx, 'metrics-server'),
        repository: '',
        version: '',
      },
    },
  };
}
