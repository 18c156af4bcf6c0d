import * as command from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';
import { LABELS } from '../../runtime/autoscaler/containers/worker-body';
import type { DockerHosts } from './docker-cluster';
import { dockerEnvironment } from './docker-node';

/**
 * Takes away what the autoscaler has made, when it goes: each worker is drained by eviction, its container is removed, and
 * the cluster forgets it. The autoscaler depends on this, and so is gone before. A worker that cannot be drained in time
 * fails the deletion, and is uncordoned again so that it goes on working.
 */
export function autoscaledWorkers(
  name: string,
  { config, serverContainer, server }: DockerHosts,
  options: pulumi.CustomResourceOptions,
): command.local.Command {
  const kubectl = `docker exec ${serverContainer} kubectl`;
  const limit = `--timeout=${config.drainTimeoutSeconds}s`;
  const drain = `${kubectl} drain "$node" --ignore-daemonsets --delete-emptydir-data --force ${limit}`;
  return new command.local.Command(
    name,
    {
      create: 'true',
      delete: [
        `running=$(docker inspect -f '{{.State.Running}}' ${serverContainer} 2>/dev/null || true)`,
        `for id in $(docker ps -aq --filter label=${LABELS.estate}=${config.name}); do`,
        `  node=$(docker inspect -f '{{slice .Name 1}}' "$id")`,
        `  if [ "$running" = true ] && ${kubectl} get node "$node" >/dev/null 2>&1; then`,
        `    ${drain} || {`,
        `      ${kubectl} uncordon "$node"`,
        `      echo "$node was not drained within ${config.drainTimeoutSeconds} s (see above) and was left in place" >&2; exit 1`,
        `    }`,
        `  fi`,
        `  docker stop -t 30 "$id" >/dev/null && docker rm -f -v "$id" >/dev/null || exit 1`,
        `  [ "$running" = true ] || continue`,
        `  ${kubectl} delete node "$node" --ignore-not-found --timeout=60s || exit 1`,
        `  ${kubectl} -n kube-system delete secret "$node.node-password.k3s" --ignore-not-found || exit 1`,
        `done`,
      ].join('\n'),
      environment: dockerEnvironment(config),
    },
    { ...options, dependsOn: [server] },
  );
}
