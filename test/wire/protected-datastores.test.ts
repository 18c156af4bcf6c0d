import assert from 'node:assert/strict';
import * as pulumi from '@pulumi/pulumi';
import type { EngineEvent } from '@pulumi/pulumi/automation';
import { parseEstateConfig } from '../../components/config';
import { declareEstate } from '../../components/estate';
import type { DeploymentState } from '../../runtime/cli/pending-operations';
import {
  isProtection,
  ProtectedError,
  protectedResources,
  requireUnprotected,
} from '../../runtime/cli/protection';
import { nameOfUrn } from '../../runtime/cli/urn';
import type { Engine } from './support/engine';
import { startMemoryEngine } from './support/memory-engine';

const STORES = ['cluster-server-var-lib-rancher-k3s', 'mongodb', 'redis'];

describe('protected datastores, with the real estate and the real engine', function () {
  this.timeout(1_800_000);
  let engine: Engine;

  before(async function () {
    this.timeout(3_600_000);
    engine = await startMemoryEngine();
  });
  after(() => engine.stop());

  const estate = (protect: string, platform: object = {}) => {
    const values = {
      protect,
      platform: { prometheus: { enabled: false, url: 'http://prometheus.example' }, ...platform },
      systems: { cpuScheduling: { enabled: false }, autoscaling: { enabled: true } },
    };
    const config = parseEstateConfig({ values, keys: [], secrets: new Set(['clusterToken']) });
    return engine.stack(() => {
      declareEstate({ config, secrets: { clusterToken: pulumi.secret('token') } });
      return Promise.resolve();
    });
  };
  const state = async () => (await (await estate('')).exportStack()).deployment as DeploymentState;
  const kept = async () =>
    protectedResources(await state())
      .map(({ urn }) => nameOfUrn(urn))
      .sort();
  const all = async () => (await state()).resources?.map(({ urn }) => urn).sort();
  const said: string[] = [];
  const phase = { line: (text: string) => void said.push(text) } as never;

  it('protects what holds data, and nothing else', async () => {
    await (await estate('datastores')).up();
    assert.deepEqual(await kept(), STORES);
  });

  it('refuses to take the stack down before anything is deleted, and says what would lift that', async () => {
    const before = await all();
    const stack = await estate('datastores');
    const guarded = { name: 'edge', stack, protect: 'datastores' } as const;
    await assert.rejects(requireUnprotected(guarded, 'taken down', phase), (error) => {
      assert.ok(error instanceof ProtectedError);
      for (const name of STORES) assert.ok(error.message.includes(` ${name}\n`), error.message);
      assert.match(error.message, /^stack edge: nothing was taken down/);
      assert.match(error.message, /berth:protect: none in Pulumi\.edge\.yaml/);
      return true;
    });
    assert.deepEqual(await all(), before);
  });

  it('refuses a replacement already in the preview', async () => {
    const before = await all();
    const stack = await estate('datastores', { redis: { storageGb: 2 } });
    const errors: string[] = [];
    const onEvent = ({ diagnosticEvent: said }: EngineEvent) =>
      said?.severity === 'error' && errors.push(said.message);
    await assert.rejects(stack.preview({ onEvent: (event) => void onEvent(event) }));
    const refused = errors.filter(isProtection).join('\n');
    assert.match(refused, /StatefulSet::redis"/);
    assert.deepEqual(await all(), before);
  });

  it('lets go what was protected where the configuration says so', async () => {
    const stack = await estate('none');
    await requireUnprotected({ name: 'edge', stack, protect: '' }, 'taken down', phase).then(
      () => assert.fail('let go without having been told to'),
      (error) => assert.ok(error instanceof ProtectedError),
    );
    await requireUnprotected({ name: 'edge', stack, protect: 'none' }, 'taken down', phase);
    assert.deepEqual(await kept(), []);
    assert.match(said.join('\n'), /let go/);
    await stack.destroy();
    assert.deepEqual(await all(), undefined);
  });
});
