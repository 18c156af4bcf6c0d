import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as kubernetes from '@pulumi/kubernetes';
import type { EngineEvent, PulumiFn } from '@pulumi/pulumi/automation';
import { startEngine, type Engine } from './support/engine';
import { addMemoryProviders } from './support/memory-engine';

const REPOSITORY = path.resolve(__dirname, '..', '..');
const PACK = path.join(REPOSITORY, 'components', 'policies');
const RUN_PACK = path.join(REPOSITORY, 'node_modules/@pulumi/pulumi/cmd/run-policy-pack');

/** What the Pulumi CLI has beside it for policy packs in TypeScript. */
const addAnalyzer = (bin: string) =>
  writeFile(
    path.join(bin, 'pulumi-analyzer-policy-nodejs'),
    `#!/bin/sh\nexec '${process.execPath}' '${RUN_PACK}' "$@"\n`,
    { mode: 0o755 },
  );

const program =
  (level: string, data: Record<string, string>): PulumiFn =>
  () => {
    const provider = new kubernetes.Provider('cluster', { kubeconfig: 'none' });
    const labels = { 'pod-security.kubernetes.io/enforce': level };
    new kubernetes.core.v1.Namespace('shop', { metadata: { labels } }, { provider });
    new kubernetes.core.v1.ConfigMap('settings', { data }, { provider });
    return Promise.resolve();
  };

describe('the policy pack, under the real engine', function () {
  this.timeout(1_800_000);
  let engine: Engine;

  before(async function () {
    this.timeout(3_600_000);
    engine = await startEngine(async (bin) => {
      await addMemoryProviders(bin);
      await addAnalyzer(bin);
    });
  });
  after(() => engine.stop());

  const preview = async (run: PulumiFn) => {
    const events: EngineEvent[] = [];
    const stack = await engine.stack(run);
    const failed = await stack
      .preview({ policyPacks: [PACK], onEvent: (event) => void events.push(event) })
      .then(() => false)
      .catch(() => true);
    const broken = events.flatMap(({ policyEvent }) =>
      policyEvent === undefined ? [] : [`${policyEvent.policyName}: ${policyEvent.message}`],
    );
    return { failed, broken };
  };

  it('lets through what keeps to it', async () => {
    const result = await preview(program('restricted', { PROM_URL: 'http://prometheus' }));
    assert.deepEqual(result, { failed: false, broken: [] });
  });

  it('ends a preview of what does not, and names each policy and resource', async () => {
    const { failed, broken } = await preview(program('baseline', { TOKEN: 'hush' }));
    assert.ok(failed);
    assert.equal(broken.length, 2, broken.join('\n'));
    const said = broken.sort().join('\n');
    assert.match(said, /no-plain-secrets: [^]*settings: data\.TOKEN must be in a Secret/);
    assert.match(said, /restricted-namespaces: [^]*shop: .*baseline must be restricted/);
    assert.ok(!said.includes('hush'));
  });
});
