import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import type { EngineEvent } from '@pulumi/pulumi/automation';
import { parseEstateConfig } from '../../components/config';
import { declareEstate } from '../../components/estate';
import { approvalKey } from '../../runtime/cli/preview-report/approval';
import { previewMarkdown } from '../../runtime/cli/preview-report/markdown';
import { requireApproval, reportOf } from '../../runtime/cli/safety';
import type { Engine } from './support/engine';
import { startMemoryEngine } from './support/memory-engine';

type Values = Readonly<Record<string, unknown>>;

const TOKEN = 'a-token-that-nobody-may-see';
const PASSWORD = 'a-password-that-nobody-may-see';
const STRICT = { safety: 'strict', budget: { nodes: 1, pods: 10 } } as const;

const nodes = [1, 2, 3].map((slot) => ({ name: `node-${slot}`, slot }));
const noPrometheus = { prometheus: { enabled: false, url: 'http://prometheus.example' } };

/** The nodes alone. */
const BARE = { nodes, platform: noPrometheus, systems: { cpuScheduling: { enabled: false } } };
/** The nodes, ten jobs, their ten twins in the queue, and a database for the rows. */
const BUSY = {
  nodes,
  platform: noPrometheus,
  posture: { database: { enabled: true, host: 'db.example' } },
  systems: { cpuScheduling: {}, eventScaling: { enabled: true } },
};

const expected = (change: string) =>
  readFileSync(join(__dirname, 'expected-previews', `${change}.md`), 'utf8');

const estate = (values: Values, password: string) => () => {
  declareEstate({
    config: parseEstateConfig({
      values,
      keys: Object.keys(values),
      secrets: new Set(['clusterToken', 'databasePassword']),
    }),
    secrets: {
      clusterToken: pulumi.secret(TOKEN),
      kubeconfig: undefined,
      registryPassword: undefined,
      databasePassword: pulumi.secret(password),
    },
  });
  return Promise.resolve();
};

describe('a preview as Markdown, from what the real engine says of the real estate', function () {
  this.timeout(1_800_000);
  let engine: Engine;

  const previewed = async (values: Values, password = PASSWORD) => {
    const events: EngineEvent[] = [];
    const stack = await engine.stack(estate(values, password));
    await stack.preview({ diff: true, onEvent: (event) => void events.push(event) });
    const report = reportOf(events, STRICT);
    const markdown = previewMarkdown(report, { stack: 'dev', safety: 'strict' });
    for (const secret of [TOKEN, PASSWORD, password]) assert.ok(!markdown.includes(secret));
    return { report, markdown };
  };

  const onEstate = (values: Values) => {
    before(async function () {
      this.timeout(3_600_000);
      engine = await startMemoryEngine();
      await (await engine.stack(estate(values, PASSWORD))).up({ suppressOutputs: true });
    });
    after(() => engine.stop());
  };

  describe('of jobs and services', () => {
    onEstate(BUSY);

    it('says that nothing changes', async () => {
      const { markdown } = await previewed(BUSY);
      assert.equal(markdown.split('\n')[0], '### Preview of `dev`: no change');
    });

    it("shows another slot as that node's labels", async () => {
      const { markdown, report } = await previewed({
        ...BUSY,
        nodes: [{ name: 'node-1', slot: 7 }, ...nodes.slice(1)],
      });
      assert.equal(markdown, expected('slot'));
      requireApproval(report, STRICT);
    });

    it('shows new settings as what restarts, and what rolls', async () => {
      const { markdown, report } = await previewed({
        ...BUSY,
        posture: { ...BUSY.posture, maxImages: 5 },
        systems: { ...BUSY.systems, cpuScheduling: { thresholdRatio: 0.8 } },
      });
      assert.equal(markdown, expected('settings'));
      requireApproval(report, STRICT);
    });

    it('shows a new password as a secret that rotates', async () => {
      const { markdown, report } = await previewed(BUSY, 'another-password');
      assert.equal(markdown, expected('password'));
      requireApproval(report, STRICT);
    });
  });

  describe('of nodes', () => {
    onEstate(BARE);

    it('flags two nodes that leave, and refuses them without their key', async () => {
      const { markdown, report } = await previewed({ ...BARE, nodes: nodes.slice(0, 1) });
      const key = approvalKey(report.dangers);
      assert.equal(markdown, expected('two-nodes').replace('KEY', key));
      assert.throws(() => requireApproval(report, STRICT), /takes away 2 nodes/);
      requireApproval(report, STRICT, key);
    });

    it("flags the loss of the nodes' volumes, and refuses it without its key", async () => {
      const { markdown, report } = await previewed({
        ...BARE,
        cluster: { docker: { volumePaths: ['/var/lib/kubelet', '/var/lib/cni', '/var/log'] } },
      });
      const key = approvalKey(report.dangers);
      assert.equal(markdown, expected('volumes').replace('KEY', key));
      assert.throws(() => requireApproval(report, STRICT), /docker Volumes/);
      requireApproval(report, STRICT, key);
    });
  });
});
