import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LabContext } from '../context';
import { run } from '../exec';
import type { HostTools } from '../programs/host-packages';
import { socketExists, type Daemon } from './daemon';

/** Registries whose names in Dockerfiles the lab's registry answers for. */
export const MIRRORED_REGISTRIES = ['docker.io', 'quay.io', 'registry.k8s.io', 'ghcr.io'] as const;

/** buildkitd with runc, which takes every base image from the lab's registry. */
export async function buildkitDaemon(
  ctx: LabContext,
  tools: HostTools,
  buildkitd: string,
): Promise<Daemon> {
  const file = path.join(ctx.root, 'buildkitd.toml');
  const mirrors = MIRRORED_REGISTRIES.map(
    (name) => `[registry."${name}"]\n  mirrors = ["${ctx.registry}"]\n`,
  );
  const text = [
    `root = "${path.join(ctx.root, 'buildkit')}"`,
    `[grpc]\n  address = ["${ctx.buildkitHost}"]`,
    `[worker.oci]\n  enabled = true\n  binary = "runc"\n  defaultCgroupParent = "/${ctx.netns}"`,
    '[worker.containerd]\n  enabled = false',
    ...mirrors,
    `[registry."${ctx.registry}"]\n  http = true\n  insecure = true\n`,
  ];
  await writeFile(file, text.join('\n'));
  return {
    name: 'buildkitd',
    command: buildkitd,
    args: ['--config', file],
    env: { ...tools.env, TMPDIR: '', OTEL_TRACES_EXPORTER: 'none' },
    ready: () => socketExists(ctx.buildkitHost.slice('unix://'.length)),
  };
}

/** Folders of the Docker and buildx command lines that belong to this lab alone. */
export function dockerConfigDir(ctx: LabContext): string {
  return path.join(ctx.root, 'docker-config');
}

/** Where buildx keeps its builders. */
export function buildxConfigDir(ctx: LabContext): string {
  return path.join(ctx.root, 'buildx');
}

/** Makes `docker buildx` work with the lab's builder, for whoever has the lab's DOCKER_CONFIG and BUILDX_CONFIG. */
export async function ensureBuilder(
  ctx: LabContext,
  tools: HostTools,
  buildx: string,
): Promise<void> {
  const plugins = path.join(dockerConfigDir(ctx), 'cli-plugins');
  await mkdir(plugins, { recursive: true });
  await chmod(dockerConfigDir(ctx), 0o700);
  await writeFile(path.join(dockerConfigDir(ctx), 'config.json'), '{}\n');
  await rm(path.join(plugins, 'docker-buildx'), { force: true });
  await symlink(buildx, path.join(plugins, 'docker-buildx'));
  const env = {
    ...tools.env,
    DOCKER_HOST: ctx.dockerHost,
    DOCKER_CONFIG: dockerConfigDir(ctx),
    BUILDX_CONFIG: buildxConfigDir(ctx),
  };
  const known = await run(buildx, ['inspect', ctx.builderName], { env }).then(
    ({ stdout }) => stdout.includes(ctx.buildkitHost),
    () => false,
  );
  if (known) return;
  await run(buildx, ['rm', '--force', ctx.builderName], { env }).catch(() => undefined);
  const create = ['create', '--name', ctx.builderName, '--driver', 'remote', '--use'];
  await run(buildx, [...create, ctx.buildkitHost], { env });
}
