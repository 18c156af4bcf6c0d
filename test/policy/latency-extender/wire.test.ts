import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  addExtenderRoutes,
  extenderCalls,
  type ExtenderRoutes,
} from '../../../runtime/latency-extender/app';
import { staticProbers } from '../../../runtime/latency-extender/adapters/prober-directory';
import {
  checkLatencyExtenderSettings,
  latencyExtenderSettings,
} from '../../../runtime/latency-extender/settings';
import {
  BadExtenderArgs,
  parseExtenderArgs,
} from '../../../runtime/latency-extender/wire/extender-args';
import { SentNames } from '../../../runtime/latency-extender/wire/sent-names';
import { systemClock } from '../../../runtime/shared/clock';
import { startHealthServer, type HealthServer } from '../../../runtime/shared/health-server';
import { parseSettings } from '../../../runtime/shared/settings';
import { cluster, extender, metrics } from './support';

const POD = {
  metadata: { name: 'pod', namespace: 'ns', uid: 'u1' },
  spec: {
    containers: [
      { name: 'a', resources: { requests: { cpu: '250m' } } },
      { name: 'b', resources: { requests: { cpu: '1' } } },
      { name: 'c', resources: {} },
    ],
  },
};

describe('latency-extender: what kube-scheduler sends', () => {
  it('is read with its keys as Go writes them', () => {
    const { pod, names, nodeList } = parseExtenderArgs(
      JSON.stringify({ Pod: POD, Nodes: null, NodeNames: ['a', 'b'] }),
    );
    assert.deepEqual(pod, { name: 'pod', namespace: 'ns', uid: 'u1', cpuMillis: 1250 });
    assert.deepEqual([names, nodeList], [['a', 'b'], undefined]);
  });

  it('may be no node at all, which Go writes as null', () => {
    const text = JSON.stringify({ Pod: POD, Nodes: { metadata: {}, items: null } });
    assert.deepEqual(parseExtenderArgs(text).names, []);
  });

  it('may be a pod that requests nothing', () => {
    const bare = { metadata: { name: 'p' }, spec: { containers: [{ name: 'a' }] } };
    const { pod } = parseExtenderArgs(JSON.stringify({ Pod: bare, NodeNames: [] }));
    assert.equal(pod.cpuMillis, undefined);
  });

  const bad: [string, RegExp][] = [
    ['{', /the body is not JSON/],
    ['[]', /no JSON object/],
    ['{}', /Pod: is missing/],
    [JSON.stringify({ Pod: { metadata: {} }, NodeNames: [] }), /Pod.metadata.name: is missing/],
    [JSON.stringify({ Pod: POD }), /neither NodeNames nor Nodes/],
    [JSON.stringify({ Pod: POD, NodeNames: [1] }), /NodeNames: is no list of names/],
    [JSON.stringify({ Pod: POD, Nodes: { items: [{}] } }), /Nodes: is no NodeList/],
  ];
  for (const [text, reason] of bad)
    it(`is refused when it is ${text.slice(0, 60)}`, () => {
      assert.throws(() => parseExtenderArgs(text), reason);
    });
});

describe('latency-extender: the names of the last answer', () => {
  const name = fc.oneof(fc.stringMatching(/^[a-z0-9-]{1,12}$/), fc.string());
  const questionOf = (podName: string, names: readonly string[]): string =>
    JSON.stringify({
      Pod: { metadata: { name: `p${podName}`, namespace: 'ns', uid: 'u' } },
      Nodes: null,
      NodeNames: names,
    });
  const sentOf = (names: readonly string[]): SentNames => {
    const sent = new SentNames();
    sent.remember(`"NodeNames":${JSON.stringify(names)}`, names);
    return sent;
  };

  it('change nothing about what a question is read as, whichever was sent', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.array(name),
        fc.array(name),
        fc.boolean(),
        (pod, sent, asked, same) => {
          const text = questionOf(pod, same ? sent : asked);
          const known = sentOf(sent);
          assert.deepEqual(parseExtenderArgs(text, known), parseExtenderArgs(text));
          assert.deepEqual(parseExtenderArgs(`${text}\n`, known), parseExtenderArgs(text));
        },
      ),
    );
  });

  it('are taken as they are when the question ends with them', () => {
    const names = ['a', 'b'];
    const question = questionOf('', names);
    assert.equal(parseExtenderArgs(question, sentOf(names)).names, names);
    assert.notEqual(parseExtenderArgs(question, new SentNames()).names, names);
  });

  it('are not seen in a pod that holds their text, nor in a broken question', () => {
    const names = ['a'];
    const hidden = questionOf('"NodeNames":["a"]}', ['b']);
    assert.deepEqual(parseExtenderArgs(hidden, sentOf(names)).names, ['b']);
    const broken = '{"Pod":{"NodeNames":["a"]}';
    assert.throws(() => parseExtenderArgs(broken, sentOf(names)), BadExtenderArgs);
  });
});

describe('latency-extender: HTTP', () => {
  let server: HealthServer;
  before(async () => {
    const counted = metrics();
    const { answers } = extender(cluster({ a: [0.1, 5], ä: [0.1, 5] }));
    const routes: ExtenderRoutes = {
      answers,
      clock: systemClock,
      maxBodyBytes: 2000,
      metrics: counted,
      clientProblem: () => undefined,
      state: () => ({}),
      explain: () => undefined,
    };
    server = await startHealthServer({
      host: '127.0.0.1',
      port: 0,
      registry: counted.registry,
      healthy: () => ({ ok: true }),
      ready: () => ({ ok: true }),
      direct: extenderCalls(routes),
      routes: (app) => addExtenderRoutes(app, routes),
    });
  });
  after(() => server.close());
  const post = (verb: string, body: string | ReadableStream<Uint8Array>) =>
    fetch(`http://127.0.0.1:${server.port}/${verb}`, {
      method: 'POST',
      body,
      ...(typeof body !== 'string' && { duplex: 'half' as const }),
    });

  it('answers with its length, so that the connection is kept', async () => {
    const response = await post('filter', JSON.stringify({ Pod: POD, NodeNames: ['a', 'x'] }));
    assert.equal(response.status, 200);
    const text = await response.text();
    assert.equal(Number(response.headers.get('content-length')), Buffer.byteLength(text));
    assert.deepEqual((JSON.parse(text) as { NodeNames: string[] }).NodeNames, ['a']);
  });

  it('answers in UTF-8 what is not ASCII, with the length in bytes', async () => {
    const response = await post('filter', JSON.stringify({ Pod: POD, NodeNames: ['ä', 'a'] }));
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.equal(Number(response.headers.get('content-length')), bytes.length);
    const { NodeNames } = JSON.parse(bytes.toString('utf8')) as { NodeNames: string[] };
    assert.deepEqual(NodeNames, ['ä', 'a']);
  });

  it('leaves other paths and methods to express', async () => {
    assert.equal((await fetch(`http://127.0.0.1:${server.port}/filter`)).status, 404);
    assert.equal((await post('toString', '{}')).status, 404);
  });

  it('says 400 and why to what is no request of kube-scheduler', async () => {
    for (const verb of ['filter', 'prioritize']) {
      const response = await post(verb, '{"Pod":');
      assert.equal(response.status, 400);
      assert.match(((await response.json()) as { error: string }).error, /the body is not JSON/);
    }
  });

  it('says 413 and the limit to what is too large, with its length given or not', async () => {
    const large = 'x'.repeat(5_000_000);
    const stream = new Blob([large]).stream();
    for (const body of [large, stream]) {
      const response = await post('filter', body);
      assert.equal(response.status, 413);
      const { error } = (await response.json()) as { error: string };
      assert.match(error, /larger than 2000 bytes \(MAX_BODY_BYTES\)/);
    }
  });

  it('does not know a pod that was not asked about', async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/explain/ns/none`);
    assert.equal(response.status, 404);
  });
});

describe('latency-extender: settings', () => {
  const check = (env: Record<string, string>) =>
    checkLatencyExtenderSettings(parseSettings(latencyExtenderSettings, env));

  it('are as the requirement has them by default', () => {
    const settings = parseSettings(latencyExtenderSettings, {});
    checkLatencyExtenderSettings(settings);
    assert.deepEqual(
      [settings.cpuWeight, settings.latencyWeight, settings.cpuPenalty, settings.port],
      [0.3, 0.7, 0.15, 3001],
    );
    assert.deepEqual(
      [settings.cpuLimitRatio, settings.latencyLimitRatio, settings.cpuPenaltyFromRatio],
      [0.85, 0.5, 0.7],
    );
    assert.equal(settings.nothingFresh, 'open');
  });

  it('must not contradict one another', () => {
    assert.throws(() => check({ CPU_WEIGHT: '0.5' }), /CPU_WEIGHT and LATENCY_WEIGHT/);
    assert.throws(() => check({ CPU_PENALTY_FROM_RATIO: '0.9' }), /must not be above CPU_LIMIT/);
    assert.throws(() => check({ PROBE_MAX_AGE_MS: '5000' }), /must be above REFRESH_INTERVAL_MS/);
  });

  it('name probers by their nodes', () => {
    const { probers } = parseSettings(latencyExtenderSettings, {
      PROBERS: 'a=1.2.3.4:5,b=[::1]:6',
    });
    assert.deepEqual(
      [...staticProbers(probers).probers],
      [
        ['a', '1.2.3.4:5'],
        ['b', '[::1]:6'],
      ],
    );
    assert.throws(() => parseSettings(latencyExtenderSettings, { PROBERS: 'a' }), /PROBERS "a"/);
  });
});
