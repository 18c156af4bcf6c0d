import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { KubeApi } from '../../../runtime/shared/kubernetes/api';
import { ensureTraefik } from '../../lab/programs/traefik';
import { consoleReporter } from '../../lab/report';
import { accountKubeconfig, createObjects, type ChartObject } from './chart-objects';
import type { ControlPlane } from './control-plane';
import { freePorts, Processes } from './processes';

const NAMESPACE = 'traefik';
/** The address of an entry point among a container's arguments, and its name. */
const ADDRESS = /^--entryPoints\.(\w+)\.address=:\d+\/tcp$/;

/** Traefik beside a control plane, where each entry point has its URL. */
export interface TraefikProcess {
  readonly urls: Readonly<Record<'web' | 'websecure' | 'metrics' | 'traefik', string>>;
  stop(): Promise<void>;
}

/**
 * Starts Traefik as a chart has it: with its arguments, definitions and rights, but with entry points on free ports of
 * 127.0.0.1. It answers its probe when this resolves.
 */
export async function startTraefik(
  plane: ControlPlane,
  api: KubeApi,
  chart: readonly ChartObject[],
): Promise<TraefikProcess> {
  const program = await ensureTraefik(consoleReporter());
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-traefik-'));
  const processes = new Processes(folder);
  const stop = async () => {
    await processes.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await createObjects(api, NAMESPACE, chart);
    const account = { namespace: NAMESPACE, name: 'traefik' };
    const readable = ['/apis/traefik.io/v1alpha1/ingressroutes', '/api/v1/services'];
    const kubeconfig = path.join(folder, 'kubeconfig');
    await writeFile(kubeconfig, await accountKubeconfig(plane, api, account, readable), {
      mode: 0o600,
    });
    const ports = await freePorts(4);
    const urls: Record<string, string> = {};
    const args = argumentsOf(chart).map((argument) => {
      const entryPoint = ADDRESS.exec(argument)?.[1];
      if (entryPoint === undefined) return argument;
      const address = `127.0.0.1:${ports.pop()}`;
      urls[entryPoint] = `http://${address}`;
      return `--entryPoints.${entryPoint}.address=${address}/tcp`;
    });
    // What is proxied is what the test says, whatever proxy this machine has.
    const env = { KUBECONFIG: kubeconfig, NO_PROXY: '*', no_proxy: '*' };
    processes.start('traefik', program, args, env);
    await processes.until('Traefik', async () => {
      const { status } = await fetch(`${urls['traefik']}/ping`);
      if (status !== 200) throw new Error(`/ping: ${status}`);
    });
    return { urls: urls as TraefikProcess['urls'], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function argumentsOf(chart: readonly ChartObject[]): readonly string[] {
  const [workload, ...others] = chart.flatMap(({ spec }) => spec?.template ?? []);
  const args = workload?.spec.containers[0]?.args;
  if (others.length > 0 || args === undefined)
    throw new Error('the chart has not one workload with arguments');
  return args;
}
