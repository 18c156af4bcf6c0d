import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { Stack } from '@pulumi/pulumi/automation';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { startEngine, type Engine } from './support/engine';

const SECRET = 'a value that nobody may read';
const TEMPLATE = `apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }}-settings }
data: { color: {{ .Values.color }}, secret: {{ .Values.secret | quote }} }
{{ if .Values.neverReady }}
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec:
  selector: { matchLabels: { app: x } }
  template:
    metadata: { labels: { app: x } }
    spec: { containers: [{ name: x, image: x }] }
{{ end }}
`;
const SCHEMA = { properties: { color: { enum: ['red', 'blue'] } } };

describe("lab: Helm releases under Pulumi's engine, against an API server", function () {
  this.timeout(1_800_000);
  let controlPlane: ControlPlane;
  let engine: Engine;
  let stack: Stack;
  let core: CoreV1Api;
  let chart: string;
  let color = 'red';
  let neverReady = false;

  const program = async () => {
    const { kubeconfig } = controlPlane;
    const provider = new k8s.Provider('k8s', { kubeconfig: pulumi.secret(kubeconfig) });
    const release = new k8s.helm.v3.Release(
      'app',
      {
        chart,
        namespace: 'app',
        createNamespace: true,
        timeout: neverReady ? 3 : 300,
        values: { color, secret: pulumi.secret(SECRET), neverReady },
      },
      { provider },
    );
    return { name: release.name, status: release.status, resources: release.resourceNames };
  };
  const up = async () => {
    const { summary, outputs } = await stack.up();
    const status = outputs.status?.value as { revision: number; status: string; version: string };
    return { changes: summary.resourceChanges ?? {}, name: outputs.name?.value as string, status };
  };
  const settings = async () => {
    const { items } = await core.listNamespacedConfigMap({ namespace: 'app' });
    return items.filter((map) => map.metadata?.name?.endsWith('-settings')).map((map) => map.data);
  };

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    chart = await mkdtemp(path.join(tmpdir(), 'berth-chart-'));
    await mkdir(path.join(chart, 'templates'));
    await writeFile(path.join(chart, 'Chart.yaml'), chartOf('1.0.0'));
    await writeFile(path.join(chart, 'templates', 'settings.yaml'), TEMPLATE);
    await writeFile(path.join(chart, 'values.schema.json'), JSON.stringify(SCHEMA));
    [controlPlane, engine] = await Promise.all([startControlPlane(), startEngine('kubernetes')]);
    const config = new KubeConfig();
    config.loadFromString(controlPlane.kubeconfig);
    core = config.makeApiClient(CoreV1Api);
    stack = await engine.stack(program);
  });
  after(async () => {
    await engine?.stop();
    await controlPlane?.stop();
    await rm(chart, { recursive: true, force: true });
  });

  it('previews without installing, and refuses values that the chart refuses', async () => {
    assert.equal((await stack.preview()).changeSummary.create, 3);
    color = 'green';
    await assert.rejects(stack.preview(), /color.*'red', 'blue'/s);
    color = 'red';
    const { items } = await core.listNamespace();
    assert.equal(
      items.some((namespace) => namespace.metadata?.name === 'app'),
      false,
    );
  });

  it('keeps an install that does not become ready, and says why', async () => {
    neverReady = true;
    await assert.rejects(stack.up(), /exists but failed.*Deployment app\/app-.*0 of 1 pods/s);
    assert.deepEqual(await settings(), [{ color: 'red', secret: SECRET }]);
  });

  it('goes on from there under its generated name, and reports what it installed', async () => {
    neverReady = false;
    const { name, status } = await up();
    assert.match(name, /^app-[0-9a-f]{8}$/);
    assert.deepEqual([status.status, status.revision, status.version], ['deployed', 2, '1.0.0']);
    assert.deepEqual((await stack.outputs()).resources?.value, {
      'ConfigMap/v1': [`${name}-settings`],
    });
    assert.deepEqual(await settings(), [{ color: 'red', secret: SECRET }]);
    assert.equal((await engine.state()).includes(SECRET), false);
  });

  it('changes nothing the second time, also after a refresh', async () => {
    assert.deepEqual(Object.keys((await up()).changes), ['same']);
    await stack.refresh();
    await stack.preview({ expectNoChanges: true });
  });

  it('upgrades for other values and for a changed chart', async () => {
    color = 'blue';
    assert.equal((await up()).status.revision, 3);
    assert.deepEqual(await settings(), [{ color: 'blue', secret: SECRET }]);
    await writeFile(path.join(chart, 'Chart.yaml'), chartOf('1.1.0'));
    const { changes, status } = await up();
    assert.equal(changes.update, 1);
    assert.deepEqual([status.revision, status.version], [4, '1.1.0']);
  });

  it('goes on from an upgrade that was cut off', async () => {
    // An upgrade that was killed leaves its revision pending, and helm refuses to work on it.
    const { items } = await core.listNamespacedSecret({
      namespace: 'app',
      labelSelector: 'version=4',
    });
    const [secret] = items;
    const release = unpack(secret?.data?.release ?? assert.fail('no release'));
    release.info.status = 'pending-upgrade';
    secret!.data = { release: pack(release) };
    secret!.metadata!.labels!.status = 'pending-upgrade';
    const { name, namespace } = secret!.metadata as { name: string; namespace: string };
    await core.replaceNamespacedSecret({ name, namespace, body: secret! });
    color = 'red';
    const { status } = await up();
    assert.equal(status.status, 'deployed');
    assert.deepEqual(await settings(), [{ color: 'red', secret: SECRET }]);
  });

  it('uninstalls', async () => {
    await stack.destroy();
    assert.deepEqual(await settings(), []);
  });
});

const chartOf = (version: string): string =>
  `apiVersion: v2\nname: tiny\nversion: ${version}\nappVersion: "7"\n`;

/** Helm keeps a release as gzipped JSON, twice in base64. */
function unpack(data: string): { info: { status: string } } {
  const inner = Buffer.from(Buffer.from(data, 'base64').toString(), 'base64');
  return JSON.parse(gunzipSync(inner).toString()) as { info: { status: string } };
}

function pack(release: object): string {
  const inner = gzipSync(JSON.stringify(release)).toString('base64');
  return Buffer.from(inner).toString('base64');
}
