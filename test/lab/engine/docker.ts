import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LabContext } from '../context';
import { run } from '../exec';
import type { HostTools } from '../programs/host-packages';
import type { Daemon } from './daemon';

/** The lab's own Docker engine, with everything that it keeps below the lab's folders. */
export async function dockerDaemon(ctx: LabContext, tools: HostTools): Promise<Daemon> {
  const execRoot = path.join(ctx.runDir, 'exec');
  await mkdir(execRoot, { recursive: true });
  const config = path.join(ctx.runDir, 'dockerd.json');
  await writeFile(
    config,
    JSON.stringify({
      'registry-mirrors': [`http://${ctx.registry}`],
      'insecure-registries': [ctx.registry],
      'log-opts': { 'max-size': '20m' },
    }),
  );
  return {
    name: 'dockerd',
    command: 'dockerd',
    args: [
      // No file of the machine's own engine is read, and no default place of it is used.
      ...['--config-file', config, '--host', ctx.dockerHost],
      ...['--data-root', path.join(ctx.root, 'docker'), '--exec-root', execRoot],
      ...['--pidfile', path.join(ctx.runDir, 'dockerd.pid')],
      ...['--cgroup-parent', `/${ctx.netns}`, '--exec-opt', 'native.cgroupdriver=cgroupfs'],
      // A lower score takes a capability that the machine may not have.
      ...['--oom-score-adjust', '0'],
    ],
    env: { ...tools.env, TMPDIR: '' },
    ready: () => docker(ctx, tools, ['version']),
  };
}

/** Runs the Docker command line on the lab's engine and gives what it printed. */
export async function docker(
  ctx: LabContext,
  tools: HostTools,
  args: readonly string[],
): Promise<string> {
  const { stdout } = await run(tools.docker, args, {
    env: { ...tools.env, DOCKER_HOST: ctx.dockerHost, DOCKER_CONTEXT: undefined },
    timeoutMs: 600_000,
  });
  return stdout;
}

/** Removes every container, so that the engine has nothing to end when it stops. */
export async function removeContainers(ctx: LabContext, tools: HostTools): Promise<void> {
  const ids = (await docker(ctx, tools, ['ps', '-aq', '--no-trunc'])).split('\n').filter(Boolean);
  if (ids.length > 0) await docker(ctx, tools, ['rm', '-f', '-v', ...ids]);
}
