import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { run } from '../lab/exec';
import { ensurePrograms } from '../lab/programs';
import { consoleReporter } from '../lab/report';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { apiOf, createNamespace, eventually } from './support/kube';
import { guideCommands } from './support/operations-guide';

const GUIDE = path.join(__dirname, '..', '..', 'docs', 'operations.md');
const JOB = '/apis/keda.sh/v1alpha1/namespaces/posture/scaledjobs';
const DEPLOYMENT = '/apis/apps/v1/namespaces/berth-system/deployments';
const container = { name: 'main', image: 'none' };

describe('what docs/operations.md tells people to run with kubectl, on a real API server', function () {
  this.timeout(600_000);
  let plane: ControlPlane;
  let api: KubeApi;
  const post = (where: string, body: object) => api.request({ method: 'POST', path: where, body });
  const get = async (where: string) => (await api.request({ method: 'GET', path: where })) as Found;

  before(async function () {
    this.timeout(3_600_000);
    plane = await startControlPlane();
    api = await apiOf(plane.kubeconfig);
    for (const name of ['monitoring', 'keda', 'posture', 'berth-system'])
      await createNamespace(api, name);
    await post('/api/v1/nodes', { metadata: { name: 'board-4' } });
    await post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', scaledJobs);
    const labels = { app: 'autoscaler' };
    await post(DEPLOYMENT, {
      metadata: { name: 'autoscaler' },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    });
  });
  after(async () => {
    await api?.close();
    await plane?.stop();
  });

  it('runs each command that it is named for', async () => {
    const metadata = { name: 'posture-analyzer-job-3', finalizers: ['finalizer.keda.sh'] };
    const job = { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledJob', metadata };
    await eventually('a ScaledJob can be made', () => post(JOB, job).then(() => true));
    await api.request({ method: 'DELETE', path: `${JOB}/${metadata.name}` });
    assert.ok((await get(`${JOB}/${metadata.name}`)).metadata.deletionTimestamp, 'it hangs');
    const { kubectl } = await ensurePrograms(['kubectl'], consoleReporter());
    const named = guideCommands(await readFile(GUIDE, 'utf8')).filter(
      ({ test }) => test?.file === 'test/wire/operations-guide.test.ts',
    );
    const said: string[] = [];
    for (const { command } of named) {
      assert.match(command, /^kubectl /);
      const { stdout, stderr } = await run('/bin/sh', ['-c', command], {
        env: { KUBECONFIG: plane.kubeconfigPath, PATH: `${path.dirname(kubectl)}:/usr/bin:/bin` },
      });
      said.push(`${command}\n${stdout}${stderr}`);
    }
    assert.equal(named.length, 5);
    const all = said.join('\n');
    assert.match(all, /kubectl describe node board-4\nName: +board-4/);
    assert.match(all, /No resources found in monitoring namespace/);
    assert.match(all, /deployment.apps\/autoscaler restarted/);
    await assert.rejects(get(`${JOB}/${metadata.name}`), /not found/);
    const { spec } = await get(`${DEPLOYMENT}/autoscaler`);
    const annotations = spec?.template?.metadata?.annotations ?? {};
    assert.ok('kubectl.kubernetes.io/restartedAt' in annotations);
  });
});

interface Found {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly spec?: {
    readonly template?: { readonly metadata?: { readonly annotations?: Record<string, string> } };
  };
}

/** KEDA's kind by its name alone. */
const scaledJobs = {
  metadata: { name: 'scaledjobs.keda.sh' },
  spec: {
    group: 'keda.sh',
    scope: 'Namespaced',
    names: { kind: 'ScaledJob', plural: 'scaledjobs', singular: 'scaledjob' },
    versions: [
      {
        ...{ name: 'v1alpha1', served: true, storage: true },
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    ],
  },
};
