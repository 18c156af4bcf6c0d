import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { Authority, type KeyPair } from './support/certificates';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { FakePrometheus } from './support/fake-prometheus';
import { KedaOperator } from './support/keda';
import { apiOf, createNamespace, createNode, eventually, listEvents } from './support/kube';
import { contextOf, ServiceProcess, temporaryFolder } from './support/service-process';

const NAMESPACE = 'posture';
/** Rounds of the operator without a Job that are enough to say that none comes. */
const ROUNDS = 3;
/** The machine may be busy with other tests. */
const LIMIT_MS = 600_000;

const UNAUTHENTICATED = /Unauthenticated.*client certificate/;

interface Job {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
}

describe("KEDA's operator asks the external scaler over TLS", function () {
  this.timeout(1_800_000);
  let plane: ControlPlane;
  let api: KubeApi;
  let keda: KedaOperator;
  let prometheus: FakePrometheus;
  let authority: Authority;
  let stranger: Authority;
  let folder: string;
  let scaler: ServiceProcess;
  let address: string;

  const post = (path: string, body: object) => api.request({ method: 'POST', path, body });

  /** A ScaledJob whose trigger has these parameters of TLS; the API server and KEDA read them from a Secret. */
  const scaledJob = async (
    name: string,
    tls: Readonly<Record<string, string>>,
    metadata: Readonly<Record<string, string>> = {},
  ) => {
    await post(`/api/v1/namespaces/${NAMESPACE}/secrets`, { metadata: { name }, stringData: tls });
    await post(`/apis/keda.sh/v1alpha1/namespaces/${NAMESPACE}/triggerauthentications`, {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'TriggerAuthentication',
      metadata: { name },
      spec: { secretTargetRef: Object.keys(tls).map((key) => ({ parameter: key, name, key })) },
    });
    await post(`/apis/keda.sh/v1alpha1/namespaces/${NAMESPACE}/scaledjobs`, {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledJob',
      metadata: { name },
      spec: {
        pollingInterval: 1,
        maxReplicaCount: 1,
        jobTargetRef: {
          backoffLimit: 0,
          template: {
            metadata: { labels: { app: 'posture' } },
            spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'none' }] },
          },
        },
        triggers: [
          {
            type: 'external',
            metadata: {
              scalerAddress: address,
              metricName: 'available_node_count_30s',
              threshold: '0.70',
              mode: 'continuous',
              ...metadata,
            },
            authenticationRef: { name },
          },
        ],
      },
    });
  };
  const jobsOf = async (name: string) => {
    const path = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`;
    const { items } = await api.request<{ items: Job[] }>({ method: 'GET', path });
    return items.filter(({ metadata }) => metadata.labels['scaledjob.keda.sh/name'] === name);
  };
  const staysWithoutJob = async (name: string) => {
    const rounds = await keda.rounds(name);
    await eventually(
      `KEDA weighs ${name} ${ROUNDS} times more`,
      async () => (await keda.rounds(name)) >= rounds + ROUNDS,
      LIMIT_MS,
    );
    assert.deepEqual(await jobsOf(name), []);
  };
  /** Of several: KEDA also warns of the calls that it cut off itself when it changed the ScaledJob. */
  const warningOn = (name: string, what: RegExp) =>
    eventually(
      `KEDA's warning on ${name}`,
      async () =>
        (await listEvents(api, NAMESPACE)).find(
          ({ regarding, type, note }) =>
            regarding.name === name && type === 'Warning' && what.test(note),
        ),
      LIMIT_MS,
    );
  const errorOf = (name: string, what: RegExp) =>
    eventually(
      `KEDA says why the scaler of ${name} fails`,
      async () => (await keda.scalerErrors(name)).find((error) => what.test(error)),
      LIMIT_MS,
    );
  const parameters = ({ cert, key }: KeyPair) => ({
    caCert: authority.cert,
    tlsClientCert: cert,
    tlsClientKey: key,
  });

  /** The service as its image has it, with certificates of its own. */
  const startScaler = async () => {
    const files = {
      TLS_CERT_FILE: 'tls.crt',
      TLS_KEY_FILE: 'tls.key',
      TLS_CLIENT_CA_FILE: 'ca.crt',
    };
    const { cert, key } = await authority.issue('posture-external-scaler', 'serverAuth');
    await writeFile(path.join(folder, files.TLS_CERT_FILE), cert);
    await writeFile(path.join(folder, files.TLS_KEY_FILE), key, { mode: 0o600 });
    await writeFile(path.join(folder, files.TLS_CLIENT_CA_FILE), authority.cert);
    const inFolder = Object.entries(files).map(([name, file]) => [name, path.join(folder, file)]);
    scaler = new ServiceProcess(await contextOf('external-scaler'), {
      ...Object.fromEntries(inFolder),
      KUBECONFIG: plane.kubeconfigPath,
      PROM_URL: prometheus.url,
      HTTP_HOST: '127.0.0.1',
      PORT: '0',
      GRPC_PORT: '0',
      START_HOLD_MS: '0',
    });
    const started = () => scaler.lines.find(({ msg }) => msg === 'started');
    await scaler.until('it has started', () => started() !== undefined);
    return `127.0.0.1:${String(started()?.['grpcPort'])}`;
  };

  before(async () => {
    folder = await temporaryFolder('scaler-tls');
    [plane, authority, stranger, prometheus] = await Promise.all([
      startControlPlane(),
      Authority.create('berth-test'),
      Authority.create('stranger'),
      FakePrometheus.start(),
    ]);
    api = await apiOf(plane.kubeconfig);
    await createNamespace(api, NAMESPACE);
    for (const name of ['node-1', 'node-2']) {
      await createNode(api, { name, labels: { 'posture/eligible': 'true' } });
      prometheus.ratios.set(name, 0.1);
    }
    keda = await KedaOperator.start(plane, api);
    address = await startScaler();
  });
  after(async () => {
    await keda?.stop();
    scaler?.kill('SIGTERM');
    await scaler?.ended;
    await api?.close();
    await plane?.stop();
    await prometheus?.stop();
    await Promise.all([authority?.remove(), stranger?.remove()]);
    await rm(folder, { recursive: true, force: true });
  });

  it('makes no Job with the certificate of another authority, and says so on the ScaledJob', async () => {
    await scaledJob('stranger', parameters(await stranger.issue('keda', 'clientAuth')));
    const { reason } = await warningOn('stranger', UNAUTHENTICATED);
    assert.equal(reason, 'KEDAScalerFailed');
    await staysWithoutJob('stranger');
  });

  it('makes no Job without a certificate, and says so on the ScaledJob', async () => {
    await scaledJob('anonymous', { caCert: authority.cert });
    const { reason } = await warningOn('anonymous', UNAUTHENTICATED);
    assert.equal(reason, 'KEDAScalerFailed');
    await staysWithoutJob('anonymous');
  });

  it('makes no Job for a scaler that KEDA does not trust, and says so in its log', async () => {
    const own = parameters(await authority.issue('keda', 'clientAuth'));
    await scaledJob('distrustful', { ...own, caCert: stranger.cert });
    await errorOf('distrustful', /connection error|certificate/);
    await staysWithoutJob('distrustful');
  });

  it('makes no Job where the certificate is none, and says so on the ScaledJob', async () => {
    const own = parameters(await authority.issue('keda', 'clientAuth'));
    await scaledJob('garbled', { ...own, tlsClientCert: 'not a certificate' });
    const { reason } = await warningOn('garbled', /external scaler.*PEM/i);
    assert.equal(reason, 'KEDAScalerFailed');
    assert.deepEqual(await jobsOf('garbled'), []);
  });

  it('makes no Job for bad metadata, and says on the ScaledJob which key and which range', async () => {
    const own = parameters(await authority.issue('keda', 'clientAuth'));
    await scaledJob('misread', own, { threshold: '70' });
    const { reason } = await warningOn('misread', /InvalidArgument.*threshold.* 0\.05 to 1/);
    assert.equal(reason, 'KEDAScalerFailed');
    await staysWithoutJob('misread');
  });

  it('makes the Job for the right certificate, of all these', async () => {
    await scaledJob('trusted', parameters(await authority.issue('keda', 'clientAuth')));
    const jobs = await eventually(
      'the Job',
      async () => {
        const found = await jobsOf('trusted');
        return found.length > 0 && found;
      },
      LIMIT_MS,
    );
    assert.equal(jobs.length, 1);
    const path = `/apis/keda.sh/v1alpha1/namespaces/${NAMESPACE}/scaledjobs/trusted`;
    const { metadata } = await api.request<{ metadata: { generation: number } }>({
      method: 'GET',
      path,
    });
    assert.equal(
      jobs[0]?.metadata.annotations['scaledjob.keda.sh/generation'],
      String(metadata.generation),
    );
    for (const name of ['stranger', 'anonymous', 'distrustful', 'garbled', 'misread'])
      assert.deepEqual(await jobsOf(name), [], name);
  });
});
