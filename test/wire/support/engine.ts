import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  fullyQualifiedStackName,
  LocalWorkspace,
  PulumiCommand,
  type PulumiFn,
  type Stack,
} from '@pulumi/pulumi/automation';
import * as settings from '@pulumi/pulumi/runtime/settings';
import { build } from 'esbuild';
import { folderBackend } from '../../../runtime/cli/project';
import { ensurePrograms } from '../../lab/programs';
import { consoleReporter } from '../../lab/report';

/** How the programs of stacks, which run in this process, reach the engine: part of the SDK, and not of its types. */
export const { grpcClientOptions } = settings as unknown as {
  grpcClientOptions: Record<string, unknown>;
};

// Each run of the engine listens on another port, and the SDK never closes its connections to engines that have ended.
// gRPC shares connections to one address: when the kernel gives a port out again, the program would be given the broken
// one of the engine that had it before, and fail with "14 UNAVAILABLE: No connection established. Last error: null".
grpcClientOptions['grpc.use_local_subchannel_pool'] = 1;

export interface Engine {
  /** A stack whose program is a function of the test. */
  stack(program: PulumiFn): Promise<Stack>;
  /** Where the engine keeps its state. */
  readonly backendFolder: string;
  /** The state file of that stack, as text. */
  state(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * The real engine with some of the lab's plugins (or what `plugin` puts there) on its PATH, beside `helm`; its state, and
 * all else it writes, lies in a folder that goes with it. `env` is added for the engine and the plugin; folders in its PATH come before the machine's.
 */
export async function startEngine(
  plugin: string | readonly string[] | ((bin: string) => Promise<void>),
  env: Readonly<Record<string, string>> = {},
): Promise<Engine> {
  const programs = await ensurePrograms(['pulumi', 'helm'], consoleReporter());
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-engine-'));
  const bin = path.join(folder, 'bin');
  await mkdir(bin);
  for (const name of ['pulumi', 'helm'] as const) {
    await symlink(programs[name], path.join(bin, name));
  }
  if (typeof plugin === 'function') await plugin(bin);
  else for (const name of [plugin].flat()) await addPlugin(name, bin);

  const command = await PulumiCommand.get({ root: folder });
  const project = 'wire';
  const envVars = {
    ...env,
    PATH: `${bin}:${env.PATH ?? process.env.PATH}`,
    PULUMI_HOME: path.join(folder, 'home'),
    PULUMI_CONFIG_PASSPHRASE: 'only for this test',
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    HELM_CACHE_HOME: path.join(folder, 'helm'),
    KUBECONFIG: '',
  };
  return {
    stack: (program) =>
      LocalWorkspace.createOrSelectStack(
        {
          stackName: fullyQualifiedStackName('organization', project, 'test'),
          projectName: project,
          program,
        },
        {
          workDir: folder,
          pulumiCommand: command,
          envVars,
          projectSettings: {
            name: project,
            runtime: 'nodejs',
            backend: { url: folderBackend(folder) },
          },
        },
      ),
    backendFolder: path.join(folder, '.pulumi'),
    state: () => readFile(path.join(folder, '.pulumi', 'stacks', project, 'test.json'), 'utf8'),
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Bundles `test/lab/plugins/<name>` and puts it where the engine looks for `pulumi-resource-<name>`. */
async function addPlugin(name: string, bin: string): Promise<void> {
  const bundle = path.join(bin, `${name}.js`);
  await build({
    entryPoints: [path.join(__dirname, '..', '..', 'lab', 'plugins', name, 'main.ts')],
    bundle: true,
    platform: 'node',
    target: 'node20',
    outfile: bundle,
    logLevel: 'error',
  });
  const shim = path.join(bin, `pulumi-resource-${name}`);
  await writeFile(shim, `#!/bin/sh\nexec node ${bundle} "$@"\n`);
  await chmod(shim, 0o755);
}
