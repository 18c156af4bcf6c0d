import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { extract } from 'tar-stream';
import { ANALYZER_APPS, NAMESPACES } from '../../components/plan';
import { fetchBlob, fetchManifest, parts } from './support/image-registry';
import { estate, estateCluster } from './support/session';
import { waitUntil } from './support/wait-until';

/** ELF's e_machine of AArch64. */
const EM_AARCH64 = 183;

/** The machine that the `node` binary of a layer is for, if the layer has one. */
async function nodeMachine(layer: Readable): Promise<number | undefined> {
  const unpack = extract();
  layer.pipe(unpack);
  let machine: number | undefined;
  for await (const entry of unpack) {
    let first: Buffer | undefined;
    for await (const chunk of entry) first ??= chunk as Buffer;
    if (/(^|\/)bin\/node$/.test(entry.header.name) && first !== undefined && first.length > 20)
      machine = first.readUInt16LE(18);
  }
  return machine;
}

describe('images', function () {
  this.timeout(1_800_000);

  /** References of all images that pods of Berth run, from the cluster itself. */
  async function references(): Promise<string[]> {
    const cluster = await estateCluster();
    const pods = await Promise.all(
      Object.values(NAMESPACES).map((namespace) => cluster.pods(namespace)),
    );
    const images = pods
      .flat()
      .flatMap(({ spec }) => spec?.containers.map(({ image }) => image ?? '') ?? []);
    return [...new Set(images)].filter((image) => image.includes('@'));
  }

  it('are referred to by digest, one for each service and each of the ten analyzers', async () => {
    const expected = [
      'autoscaler',
      'cpu-scheduler',
      'external-scaler',
      'hellopod',
      'image-feeder',
      'latency-extender',
      'load-generator',
      'node-controller',
      'prober',
      ...ANALYZER_APPS.map((app) => `posture-${app}`),
    ].sort();
    let seen: unknown;
    await waitUntil(
      'an image of each, and of nothing else',
      async () => {
        const names = (await references()).map((one) => parts(one).path.split('/').pop());
        // An analyzer of the queue may have Jobs of an older image beside those of the present one.
        const present = [...new Set(names)].sort();
        seen = present;
        // The only pod of a service may just be replaced by another.
        return isDeepStrictEqual(present, expected);
      },
      { limitMs: 120_000, seen: () => seen },
    );
  });

  it('list linux/amd64 and linux/arm64 in their index', async () => {
    await estate();
    for (const reference of await references()) {
      const { host, path, digest } = parts(reference);
      const { manifests = [] } = await fetchManifest(host, path, digest);
      const platforms = manifests.map(
        ({ platform }) => `${platform?.os}/${platform?.architecture}`,
      );
      for (const platform of ['linux/amd64', 'linux/arm64'])
        assert.ok(platforms.includes(platform), `${reference}: ${platforms.join()}`);
    }
  });

  it('hold an arm64 Node in the arm64 image', async () => {
    const reference = (await references()).find((one) => one.includes('/cpu-scheduler@')) ?? '';
    const { host, path, digest } = parts(reference);
    const { manifests = [] } = await fetchManifest(host, path, digest);
    const arm = manifests.find(({ platform }) => platform?.architecture === 'arm64');
    const { layers = [] } = await fetchManifest(host, path, arm?.digest ?? '');
    const machines: (number | undefined)[] = [];
    for (const layer of layers)
      machines.push(await nodeMachine(await fetchBlob(host, path, layer)));
    assert.deepEqual(
      machines.filter((machine) => machine !== undefined),
      [EM_AARCH64],
    );
  });
});
