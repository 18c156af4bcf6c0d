import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { KubeApi } from '../../../runtime/shared/kubernetes/api';
import { writeKedaChart } from '../../lab/charts/keda';
import { run } from '../../lab/exec';
import { ensurePrograms } from '../../lab/programs';
import { consoleReporter } from '../../lab/report';
import { Authority } from './certificates';
import { accountKubeconfig, createObjects, objectsOf } from './chart-objects';
import type { ControlPlane } from './control-plane';
import { freePorts, Processes } from './processes';

/** Namespace of the operator's own objects. */
const NAMESPACE = 'keda';
const ACCOUNT = { namespace: NAMESPACE, name: 'keda-operator' };
/** The operator ends where it may not ask for these. */
const READABLE = ['/version', '/apis/keda.sh/v1alpha1/scaledjobs'];

/** A line of the operator's log. */
export type KedaLine = Readonly<Record<string, unknown>>;

/** KEDA's real operator beside a control plane, with the definitions and the rights that the lab's chart gives it. */
export class KedaOperator {
  private constructor(
    private readonly folder: string,
    private readonly processes: Processes,
  ) {}

  /** Ready when it resolves. */
  static async start(plane: ControlPlane, api: KubeApi): Promise<KedaOperator> {
    const programs = await ensurePrograms(['keda', 'helm'], consoleReporter());
    const folder = await mkdtemp(path.join(tmpdir(), 'berth-keda-'));
    const processes = new Processes(folder);
    const operator = new KedaOperator(folder, processes);
    try {
      const chart = path.join(folder, 'chart');
      await writeKedaChart(chart);
      const template = ['template', 'keda', chart, '--namespace', NAMESPACE];
      const { stdout } = await run(programs.helm, template);
      await createObjects(api, NAMESPACE, objectsOf(stdout));
      const kubeconfig = path.join(folder, 'kubeconfig');
      const text = await accountKubeconfig(plane, api, ACCOUNT, READABLE);
      await writeFile(kubeconfig, text, { mode: 0o600 });
      const certificates = await metricsCertificates(folder);
      const [health, metrics] = (await freePorts(2)) as [number, number];
      processes.start(
        'keda',
        programs.keda,
        [
          ...['--leader-elect', '--zap-encoder=json', '--enable-prometheus-metrics=false'],
          ...['--enable-cert-rotation=false', `--cert-dir=${certificates}`],
          `--health-probe-bind-address=127.0.0.1:${health}`,
          `--metrics-service-bind-address=127.0.0.1:${metrics}`,
        ],
        {
          KUBECONFIG: kubeconfig,
          WATCH_NAMESPACE: '',
          POD_NAMESPACE: NAMESPACE,
          KEDA_CLUSTER_OBJECT_NAMESPACE: NAMESPACE,
        },
      );
      const ready = async () => {
        const { status } = await fetch(`http://127.0.0.1:${health}/readyz`);
        if (status !== 200) throw new Error(`readyz: ${status}`);
      };
      await processes.until("KEDA's operator", ready);
      return operator;
    } catch (error) {
      await operator.stop();
      throw error;
    }
  }

  /** What it logged so far. */
  async log(): Promise<KedaLine[]> {
    const text = await readFile(path.join(this.folder, 'keda.log'), 'utf8');
    return text.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line) as KedaLine];
      } catch {
        return []; // a line that is being written, or not the operator's own
      }
    });
  }

  /** How often it has weighed a ScaledJob so far: asked its scaler, and counted its Jobs. */
  async rounds(scaledJob: string): Promise<number> {
    return (await this.log()).filter(
      (line) => line['scaledJob.Name'] === scaledJob && 'Number of running Jobs' in line,
    ).length;
  }

  /** Errors of the scaler of a ScaledJob, as the operator logged them. */
  async scalerErrors(scaledJob: string): Promise<string[]> {
    return (await this.log())
      .filter((line) => line['logger'] === 'external_scaler' && line['name'] === scaledJob)
      .map((line) => String(line['error']));
  }

  async stop(): Promise<void> {
    await this.processes.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** In a pod the operator makes these itself. It does not start without. */
async function metricsCertificates(folder: string): Promise<string> {
  const authority = await Authority.create('keda');
  const { cert, key } = await authority.issue('keda-operator', 'serverAuth');
  const directory = path.join(folder, 'certificates');
  await mkdir(directory);
  await writeFile(path.join(directory, 'ca.crt'), authority.cert);
  await writeFile(path.join(directory, 'tls.crt'), cert);
  await writeFile(path.join(directory, 'tls.key'), key, { mode: 0o600 });
  await authority.remove();
  return directory;
}
