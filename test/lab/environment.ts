import { mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import type { LabContext } from './context';
import { buildxConfigDir, dockerConfigDir } from './engine/buildkit';
import { bundlePlugin, pluginNames, writePluginShim } from './plugins/bundle';
import type { HostTools } from './programs/host-packages';
import { writePulumiShim } from './project';

/** The lab's commands: first on the PATH of all that works in it. */
const binDir = (ctx: LabContext) => path.join(ctx.root, 'bin');

/** Writes the folder of commands: pulumi and its plugins, kubectl, helm, docker and buildx. */
export async function writeCommands(
  ctx: LabContext,
  tools: HostTools,
  programs: Readonly<Record<'pulumi' | 'kubectl' | 'helm' | 'buildx', string>>,
  overrides: Readonly<Record<string, unknown>>,
): Promise<void> {
  const bin = binDir(ctx);
  await mkdir(bin, { recursive: true });
  const { kubectl, helm, buildx } = programs;
  for (const [name, file] of Object.entries({ kubectl, helm, buildx, docker: tools.docker })) {
    await rm(path.join(bin, name), { force: true });
    await symlink(file, path.join(bin, name));
  }
  for (const name of pluginNames) {
    const bundle = await bundlePlugin(name, path.join(ctx.root, 'plugins'));
    await writePluginShim(name, bundle, bin);
  }
  writePulumiShim(bin, programs.pulumi, ctx.projectDir, overrides);
}

/** The environment of commands that work in the lab; nothing in it touches the user's own Docker, Helm or Pulumi. */
export function labEnv(ctx: LabContext): NodeJS.ProcessEnv {
  const inRoot = (name: string) => path.join(ctx.root, name);
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${binDir(ctx)}:${process.env['PATH'] ?? ''}`,
    DOCKER_HOST: ctx.dockerHost,
    DOCKER_CONFIG: dockerConfigDir(ctx),
    BUILDX_CONFIG: buildxConfigDir(ctx),
    BUILDX_BUILDER: ctx.builderName,
    BERTH_INSTANCE: ctx.instance,
    PULUMI_HOME: inRoot('pulumi-home'),
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
    HELM_CACHE_HOME: inRoot('helm/cache'),
    HELM_CONFIG_HOME: inRoot('helm/config'),
    HELM_DATA_HOME: inRoot('helm/data'),
  };
  // A context that the user has chosen would win over DOCKER_HOST.
  delete env['DOCKER_CONTEXT'];
  delete env['DOCKER_TLS_VERIFY'];
  return env;
}
