import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ANALYZER_APPS } from '../../components/plan';
import { secretsIn, secretsOf, textsIn, type Secrets } from './support/estate-secrets';
import { blobsOf, fetchBlob, parts, repositories } from './support/image-registry';
import { SYSTEM, type EstateCluster } from './support/cluster';
import { estate, estateCluster } from './support/session';

/** Text of a file that every service's image has: where a search finds it, it looks into layers. */
const IN_EVERY_SERVICE = 'process.env';
const LOG_BYTES = 2 ** 22;

/** Text of a file; none where it has gone since it was listed. */
const textOf = (file: string): Promise<string> =>
  readFile(file, 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });

describe('secrets of the estate', function () {
  this.timeout(3_600_000);
  let cluster: EstateCluster;
  let secrets: Secrets;

  before(async () => {
    cluster = await estateCluster();
    secrets = await secretsOf((await estate()).checkout.directory, cluster);
  });

  it('are in no layer and no configuration of the images that it built', async () => {
    const [pod] = await cluster.pods(SYSTEM, 'app.kubernetes.io/name=cpu-scheduler');
    const { host, path } = parts(pod?.spec?.containers[0]?.image ?? '');
    const built = await repositories(host, path.split('/')[0] ?? '');
    assert.ok(built.includes(path) && built.length > ANALYZER_APPS.length, built.join());
    const looked = new Set<string>();
    let withCode = 0;
    for (const repository of built)
      for (const blob of await blobsOf(host, repository, 'latest')) {
        if (looked.has(blob.digest)) continue;
        looked.add(blob.digest);
        const bytes = await fetchBlob(host, repository, blob);
        const found = await textsIn(bytes, [...secrets.values(), IN_EVERY_SERVICE]);
        if (found.includes(IN_EVERY_SERVICE)) withCode += 1;
        const shown = [...secrets].filter(([, value]) => found.includes(value));
        assert.deepEqual(
          shown.map(([what]) => what),
          [],
          `${repository}: ${blob.digest}`,
        );
      }
    assert.ok(withCode >= 10, `${withCode} of ${looked.size} parts have code`);
  });

  it('are in no object of the cluster but Secrets', async () => {
    const { core, apps, batch } = cluster;
    const lists = await Promise.all([
      core.listPodForAllNamespaces(),
      core.listConfigMapForAllNamespaces(),
      core.listServiceForAllNamespaces(),
      core.listServiceAccountForAllNamespaces(),
      core.listNode(),
      core.listNamespace(),
      apps.listDeploymentForAllNamespaces(),
      apps.listStatefulSetForAllNamespaces(),
      apps.listDaemonSetForAllNamespaces(),
      apps.listReplicaSetForAllNamespaces(),
      apps.listControllerRevisionForAllNamespaces(),
      batch.listJobForAllNamespaces(),
      batch.listCronJobForAllNamespaces(),
      cluster.custom.listClusterCustomObject({
        ...{ group: 'keda.sh', version: 'v1alpha1', plural: 'scaledjobs' },
      }) as Promise<{ items: object[] }>,
    ]);
    const objects = lists.flatMap(({ items }) => items as { metadata?: { name?: string } }[]);
    assert.ok(objects.length >= 100, `${objects.length} objects`);
    for (const object of objects)
      assert.deepEqual(secretsIn(JSON.stringify(object), secrets), [], object.metadata?.name);
    const { items } = await core.listSecretForAllNamespaces();
    assert.ok(secretsIn(JSON.stringify(items), secrets).length >= 3, 'a search finds them');
  });

  it("are in no pod's log, and in no command line while it came up", async () => {
    const { items } = await cluster.core.listPodForAllNamespaces();
    let logs = 0;
    for (const { metadata, spec } of items)
      for (const { name: container } of spec?.containers ?? []) {
        const { name = '', namespace = '' } = metadata ?? {};
        // A pod that has not started, or has gone, has none.
        const log = await cluster.core
          .readNamespacedPodLog({ name, namespace, container, limitBytes: LOG_BYTES })
          .catch(() => '');
        if (log !== '') logs += 1;
        assert.deepEqual(secretsIn(log, secrets), [], `${name}: ${container}`);
      }
    assert.ok(logs >= 10, `${logs} logs`);
    const { upArguments } = await estate();
    assert.match(upArguments, /pulumi/);
    assert.deepEqual(secretsIn(upArguments, secrets), []);
  });

  it('are in none of its files in plain text but those that only their owner reads', async () => {
    const { checkout } = await estate();
    const own = join(checkout.directory, '.berth', 'dev');
    const files = await readdir(own, { recursive: true, withFileTypes: true });
    const open = files
      .filter((file) => file.isFile() && !['kubeconfig', 'passphrase'].includes(file.name))
      .map(({ parentPath, name }) => join(parentPath, name));
    assert.ok(
      open.some((file) => /state.*dev\.json/.test(file)),
      open.join('\n'),
    );
    for (const file of open) assert.deepEqual(secretsIn(await textOf(file), secrets), [], file);
  });
});
