import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { EngineEvent, Stack } from '@pulumi/pulumi/automation';
import { driftMarkdown, driftOf, driftSummary } from '../../runtime/cli/preview-report/drift';
import type { Engine } from './support/engine';
import { startMemoryEngine } from './support/memory-engine';

const DEPLOYMENT = 'kubernetes:apps/v1:Deployment::web';
const SECRET = 'kubernetes:core/v1:Secret::password';

const program = () => {
  const provider = new kubernetes.Provider('cluster', { kubeconfig: 'none' });
  new kubernetes.apps.v1.Deployment(
    'web',
    { spec: { replicas: 2, selector: {}, template: { spec: { containers: [] } } } },
    { provider },
  );
  new kubernetes.core.v1.Secret(
    'password',
    { stringData: { password: pulumi.secret('hush') } },
    { provider },
  );
  new kubernetes.core.v1.ConfigMap('settings', { data: { a: '1' } }, { provider });
  return Promise.resolve();
};

describe('drift, from what the real engine says of a refresh', function () {
  this.timeout(1_800_000);
  let folder: string;
  let engine: Engine;
  let stack: Stack;

  before(async function () {
    this.timeout(3_600_000);
    folder = await mkdtemp(path.join(tmpdir(), 'berth-drift-'));
    engine = await startMemoryEngine(path.join(folder, 'drift.json'));
    stack = await engine.stack(program);
    await stack.up({ suppressOutputs: true });
  });
  after(async () => {
    await engine.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const drifted = async (byHand: Readonly<Record<string, unknown>>) => {
    await writeFile(path.join(folder, 'drift.json'), JSON.stringify(byHand));
    const events: EngineEvent[] = [];
    await stack.previewRefresh({ onEvent: (event) => void events.push(event) });
    return driftOf(events);
  };

  it('is nothing where nobody changed anything', async () => {
    const none = await drifted({});
    assert.equal(driftMarkdown(none, 'dev'), '### Drift of `dev`: nothing was changed by hand\n');
  });

  it('is what was changed, with both values, and what is gone', async () => {
    const found = await drifted({
      [DEPLOYMENT]: { spec: { replicas: 5 } },
      'kubernetes:core/v1:ConfigMap::settings': null,
    });
    assert.equal(
      driftMarkdown(found, 'dev'),
      [
        '### Drift of `dev`: 1 changed by hand, 1 gone',
        '',
        '#### Changed by hand',
        '',
        '- kubernetes Deployment **web** (`spec.replicas 2 → 5`)',
        '',
        '#### Gone',
        '',
        '- kubernetes ConfigMap **settings**',
        '',
      ].join('\n'),
    );
  });

  it('shows no value of a secret', async () => {
    const found = await drifted({ [SECRET]: { stringData: { password: 'another' } } });
    const text = driftMarkdown(found, 'dev');
    assert.match(text, /Secret \*\*password\*\* \(`stringData\.password \(secret\)`\)/);
    assert.ok(!text.includes('hush') && !text.includes('another'), text);
  });

  it('is not the status of what runs', async () => {
    const found = await drifted({ [DEPLOYMENT]: { status: { readyReplicas: 2 } } });
    assert.equal(
      driftSummary(found.filter(({ step }) => step.name === 'web')),
      'nothing was changed by hand',
    );
  });
});
