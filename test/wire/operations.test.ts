import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BSON } from 'mongodb';
import { REPLICAS_ANNOTATION } from '../../runtime/cli/backup/autoscaler-rest';
import { kubeConfigOf } from '../../runtime/cli/backup/backup-stack';
import { storeUrls, withMongo, withRedis } from '../../runtime/cli/backup/stores';
import { commandContext, type CommandContext } from '../../runtime/cli/command-context';
import { backup } from '../../runtime/cli/commands/backup';
import { restore } from '../../runtime/cli/commands/restore';
import { plainProgress } from '../../runtime/cli/progress-plain';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { run } from '../lab/exec';
import { ensurePrograms } from '../lab/programs';
import { consoleReporter } from '../lab/report';
import { apiOf, createNamespace, eventually } from './support/kube';
import { startLabCluster, type LabCluster } from './support/lab-cluster';
import { guideCommands } from './support/operations-guide';

const NAMESPACE = 'berth-system';
const PASSWORD = 'password-that-must-not-show';
const AUTOSCALER = { name: 'autoscaler', namespace: NAMESPACE, port: 8080 };
const LIMIT_MS = 300_000;
const GUIDE = path.join(__dirname, '..', '..', 'docs', 'operations.md');
const SCALED_JOBS = '/apis/keda.sh/v1alpha1/namespaces/posture/scaledjobs';

describe('what docs/operations.md tells people to run, on a real node with Redis and MongoDB', function () {
  this.timeout(1_800_000);
  let project: string;
  let cluster: LabCluster;
  let api: KubeApi;
  let context: CommandContext;
  let printed: string[] = [];

  before(async function () {
    this.timeout(3_600_000);
    project = await mkdtemp(path.join(tmpdir(), 'berth-backup-'));
    cluster = await startLabCluster(['pause', 'library/redis', 'library/mongo']);
    api = await apiOf(cluster.kubeconfig);
    await createNamespace(api, NAMESPACE);
    await start('redis', 'redis:7', 6379, ['redis-server', '--requirepass', PASSWORD]);
    await start('mongodb', 'mongo:7', 27017, undefined, {
      MONGO_INITDB_ROOT_USERNAME: 'autoscaler',
      MONGO_INITDB_ROOT_PASSWORD: PASSWORD,
    });
    // Its pod only has to be one that runs.
    await start('autoscaler', 'redis:7', 6380, ['redis-server', '--port', '6380']);
    await api.request({
      ...{ method: 'POST', path: `/api/v1/namespaces/${NAMESPACE}/secrets` },
      body: {
        metadata: { name: 'autoscaler' },
        stringData: {
          REDIS_URL: `redis://:${PASSWORD}@redis.${NAMESPACE}.svc:6379`,
          MONGO_URL: `mongodb://autoscaler:${PASSWORD}@mongodb.${NAMESPACE}.svc:27017/?authSource=admin`,
        },
      },
    });
    const own = commandContext(project, {}, new AbortController().signal, { stack: 'dev' });
    const print = (line: string) => void printed.push(line);
    context = { ...own, print, progress: plainProgress(print) };
    const { folder } = context;
    await writeFile(path.join(project, 'Pulumi.dev.yaml'), 'config: {}\n');
    await mkdir(folder.root, { recursive: true });
    await writeFile(folder.kubeconfig, cluster.kubeconfig, { mode: 0o600 });
    const urls = { autoscaler: `http://autoscaler.${NAMESPACE}.svc:8080` };
    await writeFile(folder.outputs, JSON.stringify({ urls }));
  });
  after(async () => {
    await api?.close();
    await cluster?.stop();
    await rm(project, { recursive: true, force: true });
  });
  beforeEach(() => (printed = []));

  const start = async (
    name: string,
    image: string,
    port: number,
    command?: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) => {
    const labels = { 'app.kubernetes.io/name': name };
    const post = (where: string, body: object) =>
      api.request({ method: 'POST', path: where, body });
    await post(`/api/v1/namespaces/${NAMESPACE}/services`, {
      metadata: { name },
      spec: { selector: labels, ports: [{ port }] },
    });
    const container = {
      ...{ name, image, ...(command && { command }), ports: [{ containerPort: port }] },
      env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
      readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
    };
    await post(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`, {
      metadata: { name },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { automountServiceAccountToken: false, containers: [container] },
        },
      },
    });
    await eventually(`${name} is ready`, async () => (await readyReplicas(name)) === 1, LIMIT_MS);
  };
  const deployment = async (name: string) =>
    (await api.request({
      ...{ method: 'GET', path: `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${name}` },
    })) as {
      readonly metadata: { readonly annotations?: Record<string, string>; readonly uid: string };
      readonly spec: { readonly replicas: number };
      readonly status?: { readonly readyReplicas?: number };
    };
  const readyReplicas = async (name: string) => (await deployment(name)).status?.readyReplicas;
  /** What both stores have: the text of a key, and the documents of a collection. */
  const inStores = async () => {
    const config = await kubeConfigOf(context.folder);
    const urls = await storeUrls(config, AUTOSCALER);
    const counter = await withRedis(config, urls.redis, (redis) => redis.get('counter'));
    const events = await withMongo(config, urls.mongodb, (client) =>
      client.db('autoscaler').collection('events').find({}).sort({ _id: 1 }).toArray(),
    );
    return { counter, events: events.map((one) => BSON.EJSON.stringify(one)) };
  };
  const write = async (counter: string, ids: readonly string[]) => {
    const config = await kubeConfigOf(context.folder);
    const urls = await storeUrls(config, AUTOSCALER);
    await withRedis(config, urls.redis, async (redis) => {
      await redis.flushall();
      await redis.set('counter', counter);
    });
    await withMongo(config, urls.mongodb, async (client) => {
      const events = client.db('autoscaler').collection<{ _id: string; text: string }>('events');
      await events.deleteMany({});
      // More than fits into one message of the way there.
      await events.insertMany(ids.map((_id) => ({ _id, text: _id.repeat(100_000) })));
    });
  };

  it('puts back what was lost, with the autoscaler at rest meanwhile', async () => {
    await write('7', ['a', 'b', 'c']);
    const before = await inStores();
    const to = path.join(project, 'first');
    assert.equal(await backup(context, { stack: 'dev', to }), 0);
    assert.match(printed.at(-1) ?? '', /^backed up redis, mongodb of dev \(3 files, \d+ bytes\)/);
    await write('9', ['d']);
    await assert.rejects(
      restore(context, { stack: 'dev', from: to }),
      /^UserError: this replaces what is in Redis and MongoDB: add --replace/,
    );
    assert.equal((await inStores()).counter, '9');
    assert.ok(!printed.join('\n').includes('Autoscaler rests'), 'it was left alone');
    assert.equal(await restore(context, { stack: 'dev', from: to, replace: true }), 0);
    assert.deepEqual(await inStores(), before);
    const { spec, metadata } = await deployment('autoscaler');
    assert.equal(spec.replicas, 1);
    assert.equal(metadata.annotations?.[REPLICAS_ANNOTATION], undefined);
    assert.ok(!printed.join('\n').includes(PASSWORD));
  });

  it('gives the autoscaler back the replicas that it had before a run that was cut short', async () => {
    const to = path.join(project, 'second');
    await backup(context, { stack: 'dev', to, only: ['redis'] });
    await api.request({
      ...{ method: 'PATCH', contentType: 'application/merge-patch+json' },
      path: `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/autoscaler`,
      body: { metadata: { annotations: { [REPLICAS_ANNOTATION]: '2' } }, spec: { replicas: 0 } },
    });
    await restore(context, { stack: 'dev', from: to, replace: true });
    assert.equal((await deployment('autoscaler')).spec.replicas, 2);
  });

  it('refuses what the stack or the backup has not', async () => {
    const to = path.join(project, 'third');
    const options = { stack: 'dev', to };
    await assert.rejects(
      backup(context, { ...options, only: ['datastore'] }),
      /--only datastore: berth:cluster.kind is not ssh/,
    );
    await assert.rejects(backup(context, { ...options, only: ['etcd'] }), /must be of redis/);
    await backup(context, { ...options, only: ['redis'] });
    await assert.rejects(
      restore(context, { stack: 'dev', from: to, only: ['mongodb'] }),
      /--only mongodb: .* has redis$/,
    );
    const other = commandContext(project, {}, context.signal, { stack: 'other' });
    await assert.rejects(
      restore({ ...context, folder: other.folder }, { stack: 'other', from: to }),
      /is of stack dev, and not of other/,
    );
  });

  it('is what kubectl takes, and does what is said of it', async () => {
    for (const name of ['monitoring', 'keda', 'posture']) await createNamespace(api, name);
    const post = (where: string, body: object) =>
      api.request({ method: 'POST', path: where, body });
    await post('/api/v1/nodes', { metadata: { name: 'board-4' } });
    await post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', scaledJobs);
    const metadata = { name: 'posture-analyzer-job-3', finalizers: ['finalizer.keda.sh'] };
    const job = { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledJob', metadata };
    await eventually('a ScaledJob is made', () => post(SCALED_JOBS, job).then(() => true));
    const where = `${SCALED_JOBS}/${metadata.name}`;
    await api.request({ method: 'DELETE', path: where });
    await api.request({ method: 'GET', path: where });
    const { kubectl } = await ensurePrograms(['kubectl'], consoleReporter());
    const named = guideCommands(await readFile(GUIDE, 'utf8')).filter(({ command }) =>
      command.startsWith('kubectl '),
    );
    const env = {
      KUBECONFIG: cluster.kubeconfigPath,
      PATH: `${path.dirname(kubectl)}:/usr/bin:/bin`,
    };
    let said = '';
    for (const { command } of named) {
      const { stdout, stderr } = await run('/bin/sh', ['-c', command], { env });
      said += `${command}\n${stdout}${stderr}`;
    }
    assert.equal(named.length, 5);
    assert.match(said, /kubectl describe node board-4\nName: +board-4/);
    assert.match(said, /No resources found in monitoring namespace/);
    assert.match(said, /deployment.apps\/autoscaler restarted/);
    await assert.rejects(api.request({ method: 'GET', path: where }), /not found/);
  });
});

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
