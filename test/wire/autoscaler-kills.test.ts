import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { KEYS } from '../../runtime/autoscaler/adapters/redis-keys';
import { DOWN_STEPS, UP_STEPS, type Operation } from '../../runtime/autoscaler/types';
import type { Node } from '../../runtime/shared/kubernetes/types';
import { AutoscalerStores } from './support/autoscaler-stores';
import { AutoscalerSystem } from './support/autoscaler-system';
import { freePorts } from './support/free-ports';
import { createPod, eventually, listPods } from './support/kube';
import { FakeExporter, startPrometheus, type PrometheusServer } from './support/prometheus';
import { RedisGate, type Command, type When } from './support/redis-gate';
import { RunningService } from './support/running-service';
import { temporaryFolder } from './support/service-process';

type Kind = Operation['kind'];
/** Where the autoscaler is stopped: at which command to Redis, before or after it. */
interface Point {
  readonly title: string;
  readonly when: When;
  readonly matches: (command: Command) => boolean;
}

const written = (command: Command): Operation | undefined => {
  const [name, key, , text = ''] = command;
  if (name !== 'hset' || key !== KEYS.operations) return undefined;
  return JSON.parse(text) as Operation;
};
const ended = ([name, key]: Command): boolean => name === 'hdel' && key === KEYS.operations;
const enters = (kind: Kind, step: string): Point => ({
  title: `as ${step} begins`,
  when: 'after',
  matches: (command) => {
    const one = written(command);
    return one?.kind === kind && one.step === step && one.undoing === undefined;
  },
});
const undoes = (kind: Kind): Point => ({
  title: 'as it begins to be undone',
  when: 'after',
  matches: (command) => {
    const one = written(command);
    return one?.kind === kind && one.undoing !== undefined;
  },
});
const ends = (title: string): Point => ({ title, when: 'before', matches: ended });

/** Before anything of each step is done, and when all of it is and the journal does not know it yet. */
const pointsOf = (kind: Kind, steps: readonly string[]): Point[] =>
  steps.flatMap((step, index) => {
    const title = `when ${step} is done`;
    const next = steps[index + 1];
    const done =
      next === undefined ? ends(title) : { ...enters(kind, next), title, when: 'before' };
    return [enters(kind, step), done as Point];
  });

const POINTS = { up: pointsOf('up', UP_STEPS), down: pointsOf('down', DOWN_STEPS) };
/** Every test of a removal takes one away. */
const WORKERS = 2 + POINTS.down.length;
const nameOf = (number: number): string => `k3s-worker-${number}`;

/**
 * Redis, the API server, Prometheus and the process before the Docker socket are real, as is the autoscaler; stand-ins
 * play MongoDB and Docker. Where in an operation something is killed is a matter of the journal, so the autoscaler is stopped
 * by what stands between it and Redis. The Lease of a killed one is taken away; that it runs out by itself is tested
 * elsewhere.
 */
describe('autoscaler: what is killed in the middle of an operation', function () {
  this.timeout(1_800_000);
  let system: AutoscalerSystem;
  let stores: AutoscalerStores;
  let gate: RedisGate;
  let prometheus: PrometheusServer;
  let proxy: RunningService;
  let leader: RunningService;
  let folder: string;
  let socket: string;
  let dockerPort = 0;
  const exporter = new FakeExporter();

  const startReplica = (): Promise<RunningService> =>
    system.startReplica({
      ...{ REDIS_URL: gate.url, PROM_URL: prometheus.url },
      DOCKER_URL: `http://127.0.0.1:${dockerPort}`,
      ...{ SCALE_UP_COOLDOWN_MS: '3600000', SCALE_DOWN_COOLDOWN_MS: '3600000', MAX_NODES: '100' },
      ...{ LEASE_RETRY_MS: '100', RECONCILE_INTERVAL_MS: '1000', MONGO_TIMEOUT_MS: '2000' },
    });

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    folder = await temporaryFolder('autoscaler-kills');
    socket = path.join(folder, 'docker.sock');
    [system, prometheus, [dockerPort = 0]] = await Promise.all([
      AutoscalerSystem.start({ dockerSocket: socket }),
      exporter.start().then(startPrometheus),
      freePorts(1),
    ]);
    stores = new AutoscalerStores(system);
    gate = await RedisGate.start(system.redis.url);
    proxy = await system.startSocketProxy(socket, dockerPort);
    for (let number = 3; number <= WORKERS; number += 1) await system.addWorker(nameOf(number));
    for (let number = 1; number <= WORKERS; number += 1) exporter.ratios.set(nameOf(number), 0.5);
    leader = await startReplica();
    await leader.leads();
    await stores.becomeWhole(system.docker.names);
    await eventually(
      'the numbers are taken',
      async () => (await stores.live.counter()) === WORKERS,
    );
  });
  after(async () => {
    await gate?.close();
    await stores?.close();
    await proxy?.stop();
    await system?.stop();
    await prometheus?.stop();
    await exporter.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const numberOf = (name: string): number => Number(name.slice('k3s-worker-'.length));
  const last = (): string => nameOf(Math.max(...system.docker.names.map(numberOf)));
  const without = (name: string) => system.docker.names.filter((one) => one !== name);

  /** Asks for an operation and waits until it is stopped. @throws when it is refused instead. */
  async function stopIn(kind: Kind, { when, matches }: Point): Promise<Operation> {
    const stopped = gate.stopAt(when, matches);
    const asked = system.post(leader, '/scale', { action: `scale_${kind}` }).then(
      ({ status, body }) => {
        if (status !== 202) throw new Error(`${status}: ${JSON.stringify(body)}`);
        return stopped;
      },
      // The one that was asked was killed before it could answer.
      () => stopped,
    );
    await Promise.race([stopped, asked]);
    // What is stopped later on has been answered before.
    asked.catch(() => undefined);
    const [operation, ...others] = await stores.live.operations();
    assert.ok(operation);
    assert.deepEqual(others, []);
    return operation;
  }

  /** The leader dies where it is, with what it has not said to Redis yet; the spare leads. */
  async function kill(spare: Promise<RunningService>): Promise<void> {
    leader.signal('SIGKILL');
    await leader.exited;
    gate.drop();
    await system.freeLease();
    leader = await spare;
    await leader.leads();
  }

  /** All places know these workers, and tell once what became of the operation. */
  async function endsWith(workers: readonly string[], { id }: Operation, outcome: string) {
    await stores.becomeWhole(workers);
    const told = await eventually('the history has it', async () => {
      const events = (await stores.history.events({ limit: 1000 })).filter((one) => one.id === id);
      return events.length > 0 && events;
    });
    assert.deepEqual(
      told.map((event) => event.outcome),
      [outcome],
    );
    for (const names of [system.docker.made, system.docker.removed])
      assert.deepEqual(names, [...new Set(names)], 'twice');
  }

  const seesPods = (node: string, count: number) =>
    eventually(`the leader sees ${count} pods on ${node}`, async () => {
      const nodes = (await leader.get('/nodes/metrics')).body['nodes'];
      return (nodes as { name: string; pods: number }[]).some(
        ({ name, pods }) => name === node && pods === count,
      );
    });

  /** A pod that is gone as soon as it is evicted, with an owner of its own. */
  async function addPod(node: string, controlled = true): Promise<string> {
    const name = `on-${node}-${system.docker.removed.length}`;
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid: name, controller: true };
    await createPod(system.api, 'work', name, {
      metadata: { ownerReferences: controlled ? [owner] : [] },
      spec: { nodeName: node, terminationGracePeriodSeconds: 0 },
    });
    return name;
  }

  const spared = (): Promise<RunningService> => {
    const spare = startReplica();
    // It is awaited later on.
    spare.catch(() => undefined);
    return spare;
  };

  describe('SIGKILL of the autoscaler while it adds a worker', () => {
    for (const point of POINTS.up)
      it(`${point.title}: the worker is there, once`, async () => {
        const spare = spared();
        const before = system.docker.names;
        const operation = await stopIn('up', point);
        await kill(spare);
        await endsWith([...before, operation.worker], operation, 'done');
        assert.equal(system.docker.made.at(-1), operation.worker);
      });

    for (const point of [undoes('up'), ends('when it is undone')])
      it(`${point.title}: nothing is left of it`, async () => {
        const spare = spared();
        const before = system.docker.names;
        system.docker.broken.add(nameOf((await stores.live.counter()) + 1));
        const operation = await stopIn('up', point);
        await kill(spare);
        await endsWith(before, operation, 'undone');
        assert.equal(system.docker.removed.at(-1), operation.worker);
      });
  });

  describe('SIGKILL of the autoscaler while it removes a worker', () => {
    for (const point of POINTS.down)
      it(`${point.title}: the worker is gone, once`, async () => {
        const spare = spared();
        const worker = last();
        await addPod(worker);
        await seesPods(worker, 1);
        const rest = without(worker);
        const operation = await stopIn('down', point);
        assert.equal(operation.worker, worker);
        await kill(spare);
        await endsWith(rest, operation, 'done');
        assert.equal(system.docker.removed.at(-1), worker);
        assert.deepEqual(await listPods(system.api, 'work'), []);
      });

    for (const point of [undoes('down'), ends('when it is undone')])
      it(`${point.title}: the worker is kept, and takes pods`, async () => {
        const spare = spared();
        const before = system.docker.names;
        await stopIn('down', enters('down', 'cordon'));
        // It came when nobody looked: nothing would start it again elsewhere.
        const pod = await addPod(last(), false);
        const stopped = gate.stopAt(point.when, point.matches);
        gate.release();
        await stopped;
        const [operation] = await stores.live.operations();
        assert.ok(operation);
        await kill(spare);
        await endsWith(before, operation, 'undone');
        const path = `/api/v1/nodes/${operation.worker}`;
        const node = await system.api.request<Node>({ method: 'GET', path });
        assert.equal(node.spec?.unschedulable ?? false, false);
        await system.api.request({
          ...{ method: 'DELETE', path: `/api/v1/namespaces/work/pods/${pod}` },
          body: { gracePeriodSeconds: 0 },
        });
        await seesPods(operation.worker, 0);
      });
  });

  /** What is killed, where in each operation, what shows that it was missed, and what becomes of the operation. */
  interface Victim {
    readonly name: string;
    readonly at: Readonly<Record<Kind, Point>>;
    readonly missed: RegExp;
    readonly outcome: Readonly<Record<Kind, 'done' | 'undone'>>;
    readonly kill: () => Promise<unknown>;
    readonly start: () => Promise<unknown>;
  }
  const VICTIMS: readonly Victim[] = [
    {
      name: 'Redis',
      at: { up: enters('up', 'register'), down: enters('down', 'drain') },
      missed: /stopped at/,
      outcome: { up: 'done', down: 'done' },
      kill: () => system.redis.kill(),
      start: () => system.redis.start(),
    },
    {
      name: 'MongoDB',
      at: { up: enters('up', 'record'), down: enters('down', 'record') },
      missed: /the history could not be written/,
      outcome: { up: 'done', down: 'done' },
      kill: () => system.mongo.kill(),
      start: () => system.mongo.start(),
    },
    {
      name: 'Prometheus',
      at: { up: enters('up', 'ready'), down: enters('down', 'drain') },
      missed: /^cannot read the CPU/,
      outcome: { up: 'done', down: 'done' },
      kill: () => prometheus.kill(),
      start: () => prometheus.start(),
    },
    {
      name: 'the process before the Docker socket',
      at: { up: enters('up', 'create'), down: enters('down', 'remove-container') },
      missed: /stopped at/,
      outcome: { up: 'undone', down: 'done' },
      kill: () => {
        proxy.signal('SIGKILL');
        return proxy.exited;
      },
      start: async () => (proxy = await system.startSocketProxy(socket, dockerPort)),
    },
  ];
  for (const victim of VICTIMS)
    for (const kind of ['up', 'down'] as const)
      it(`SIGKILL of ${victim.name} while a worker is ${kind === 'up' ? 'added' : 'removed'}`, async () => {
        const before = system.docker.names;
        const operation = await stopIn(kind, victim.at[kind]);
        const from = leader.lines.length;
        await victim.kill();
        gate.release();
        await eventually(`${victim.name} is missed`, async () =>
          leader.lines.slice(from).some(({ msg }) => victim.missed.test(msg)),
        );
        await victim.start();
        const outcome = victim.outcome[kind];
        const rest = before.filter((name) => name !== operation.worker);
        const added = kind === 'up' && outcome === 'done';
        await endsWith(added ? [...rest, operation.worker] : rest, operation, outcome);
        await eventually('it is healthy', async () => {
          return (await leader.get('/health')).body['status'] === 'healthy';
        });
      });
});
