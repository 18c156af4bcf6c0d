import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Replayed } from '../../runtime/autoscaler/policy/replay';
import { parseSettings } from '../../runtime/shared/settings';
import { scalingSettings } from '../../runtime/autoscaler/settings';
import { changedSettings } from '../../runtime/cli/autoscaler/changed-settings';
import { autoscalerApi, openAutoscaler } from '../../runtime/cli/autoscaler/client';
import { sinceMs } from '../../runtime/cli/autoscaler/since';
import { clusterTables, differences, historyTable } from '../../runtime/cli/autoscaler/tables';
import { KubeError } from '../../runtime/cli/kube';
import { stackFolder } from '../../runtime/cli/stack-folder';
import { UserError } from '../../runtime/cli/user-error';

const NOW_MS = Date.parse('2026-01-31T12:00:00Z');
const SERVICE = { namespace: 'berth-system', name: 'autoscaler', port: 8080 };
const refusedWith = (pattern: RegExp) => (error: unknown) =>
  error instanceof UserError && pattern.test(error.message);

describe('--since', () => {
  it('is how long ago, or a time', () => {
    assert.equal(sinceMs('90s', NOW_MS), NOW_MS - 90_000);
    assert.equal(sinceMs('30m', NOW_MS), NOW_MS - 1_800_000);
    assert.equal(sinceMs('2h', NOW_MS), NOW_MS - 7_200_000);
    assert.equal(sinceMs('1d', NOW_MS), NOW_MS - 86_400_000);
    assert.equal(sinceMs('999999999d', NOW_MS), 0);
    assert.equal(sinceMs('2026-01-31T10:00:00+01:00', NOW_MS), NOW_MS - 3 * 3_600_000);
  });
  for (const text of ['', '2', '2 h', 'h', '-2h', '2w', 'yesterday', '2026-99-99'])
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => sinceMs(text, NOW_MS), refusedWith(/--since .*90s, 30m, 2h or 1d/)));
});

describe('settings of a replay', () => {
  const config = {
    CPU_THRESHOLD: 0.85,
    PERMANENT_WORKERS: ['a', 'b'],
    DRY_RUN: false,
    API_TOKEN: '(secret)',
  };

  it('are those of the running autoscaler', () => {
    const own = { CPU_THRESHOLD: '0.85', PERMANENT_WORKERS: 'a,b' };
    assert.deepEqual(changedSettings(config, []), parseSettings(scalingSettings, own));
  });

  it('are changed by their names, in percent and seconds', () => {
    const changed = changedSettings(config, [
      'cpu_up=70',
      'memory_down = 12.5%',
      'scale_up_cooldown=30',
      'max_nodes=9',
    ]);
    assert.equal(changed.cpuThresholdRatio, 0.7);
    assert.equal(changed.memoryScaleDownRatio, 0.125);
    assert.equal(changed.scaleUpCooldownMs, 30_000);
    assert.equal(changed.maxNodes, 9);
  });

  it('are refused, all that is wrong at once', () => {
    const wrong = ['cpu_up=0.7', 'nonsense=1', 'cpu_down', 'memory_up=much'];
    assert.throws(
      () => changedSettings(config, wrong),
      refusedWith(
        /cpu_up=0.7: is a percentage: 70, not 0.7\n.*nonsense=1: known are pending_pods.*\n.*cpu_down: known are.*\n.*memory_up=much: must be a number/,
      ),
    );
    assert.throws(
      () => changedSettings(config, ['cpu_up=170']),
      refusedWith(/CPU_THRESHOLD "1.7"/),
    );
    assert.throws(
      () => changedSettings(config, ['cpu_up=20']),
      refusedWith(/CPU_SCALE_DOWN: must be below CPU_THRESHOLD/),
    );
  });
});

describe('differences of a replay', () => {
  const decision = (kind: 'up' | 'hold', atMs: number) =>
    ({ kind, atMs, reason: `${kind} at ${atMs}`, ...(kind === 'up' && { count: 1 }) }) as never;
  const one = (atMs: number, was: 'up' | 'hold', would: 'up' | 'hold'): Replayed => ({
    ...{ atMs, was: decision(was, atMs), would: decision(would, atMs) },
    differs: was !== would,
  });

  it('join what differs in the same way, one after the other', () => {
    const spans = differences([
      ...[one(1, 'hold', 'up'), one(2, 'hold', 'up'), one(3, 'hold', 'hold')],
      ...[one(4, 'hold', 'up'), one(5, 'up', 'hold')],
    ]);
    assert.deepEqual(
      spans.map(({ fromMs, toMs, decisions, was, would }) => [fromMs, toMs, decisions, was, would]),
      [
        [1, 2, 2, 'hold', 'up 1'],
        [4, 4, 1, 'hold', 'up 1'],
        [5, 5, 1, 'up 1', 'hold'],
      ],
    );
  });
});

describe('tables of the autoscaler', () => {
  it('show what is not well, and nodes beside workers that have none', () => {
    const up = { state: 'up' };
    const text = clusterTables({
      health: {
        ...{ ok: true, status: 'degraded', role: 'leader', kubernetes: up, redis: up, docker: up },
        mongodb: { state: 'down' },
        prometheus: { cpu: 'known', memory: 'no answer' },
      },
      cluster: { decision: 'hold', reason: 'all is well', workers: 2, pending: 0 },
      nodes: [
        ...[{ name: 'k3s-worker-1', worker: true, ready: true, cordoned: true, pods: 3 }].map(
          (node) => ({
            ...node,
            ...{ cpu: { ratio: 0.25 }, memory: {} },
          }),
        ),
      ],
      workers: [
        {
          ...{ name: 'k3s-worker-2', record: null, container: { running: true } },
          operation: { kind: 'up', step: 'register' },
        },
      ],
      reconciliation: null,
    });
    assert.match(text, /autoscaler: degraded \(leader\); not well: mongodb, memory: no answer/);
    assert.match(text, /last decision: hold, all is well \(2 workers, 0 pods/);
    assert.match(text, /k3s-worker-1 +│ worker +│ yes, cordoned +│ 25\.0 % +│ – +│ 3 /);
    assert.match(text, /k3s-worker-2 +│ no node .*runs +│ up: register/);
  });

  it('say that nothing was scaled, and that MongoDB is away', () => {
    assert.equal(historyTable({ source: 'mongodb', events: [] }), 'nothing was scaled');
    const event = {
      id: 'a',
      kind: 'scale_up',
      outcome: 'done',
      worker: 'w',
      reason: 'r',
      atMs: 0,
    } as const;
    const text = historyTable({ source: 'redis', events: [{ ...event, at: '' }] });
    assert.match(text, /1970-01-01 00:00:00 │ scale_up │ done .*│ w .*│ r[^]*MongoDB is away/);
  });
});

describe('the way to the autoscaler', () => {
  let root: string;
  before(() => (root = mkdtempSync(path.join(tmpdir(), 'berth-client-'))));
  after(() => rmSync(root, { recursive: true, force: true }));

  it('says that the stack is not up, or the system off', async () => {
    const folder = stackFolder(root, 'dev');
    await assert.rejects(openAutoscaler(folder), refusedWith(/stack dev is not up: npm run up/));
    mkdirSync(folder.root, { recursive: true });
    writeFileSync(folder.kubeconfig, 'kind: Config');
    writeFileSync(folder.outputs, '{"urls":{}}');
    await assert.rejects(
      openAutoscaler(folder),
      refusedWith(/autoscaling is off in stack dev: set berth:systems.autoscaling.enabled to true/),
    );
  });

  const failing = (status: number, body: string) =>
    autoscalerApi(
      {
        json: () => Promise.reject(new KubeError(status, `path: ${status}`, body)),
        post: () => assert.fail('no token was read'),
      },
      SERVICE,
    );

  it('tells in whose words it is refused', async () => {
    const away = '{"kind":"Status","message":"no endpoints available"}';
    await assert.rejects(
      failing(503, away).get('/health', [503]),
      refusedWith(/autoscaler does not answer: no endpoints available/),
    );
    await assert.rejects(
      failing(409, '{"error":"this replica stands by"}').get('/metrics'),
      refusedWith(/^autoscaler: this replica stands by$/),
    );
    await assert.rejects(
      failing(502, '<html>').get('/'),
      refusedWith(/does not answer: path: 502/),
    );
  });

  it('takes an answer for one that says that it is not well', async () => {
    assert.deepEqual(await failing(503, '{"ok":false}').get('/health', [503]), { ok: false });
  });

  it('sends the token of the Secret beside the API server own one, and says where there is none', async () => {
    const sent: unknown[] = [];
    const data = { API_TOKEN: Buffer.from('the token').toString('base64') };
    const kube = (secret: object) => ({
      json: async <T>(asked: string) => {
        sent.push(asked);
        return secret as T;
      },
      post: async <T>(...given: unknown[]) => {
        sent.push(...given);
        return { done: true } as T;
      },
    });
    await autoscalerApi(kube({ data }), SERVICE).post('/rules/init', {});
    assert.deepEqual(sent, [
      '/api/v1/namespaces/berth-system/secrets/autoscaler',
      '/api/v1/namespaces/berth-system/services/http:autoscaler:8080/proxy/rules/init',
      {},
      { 'x-api-token': 'the token' },
    ]);
    await assert.rejects(
      autoscalerApi(kube({}), SERVICE).post('/rules/init', {}),
      refusedWith(/Secret berth-system\/autoscaler has no API_TOKEN/),
    );
  });
});
