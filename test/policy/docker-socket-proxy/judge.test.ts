import assert from 'node:assert/strict';
import fc from 'fast-check';
import { workerBody } from '../../../runtime/autoscaler/containers/worker-body';
import { workerFiles } from '../../../runtime/autoscaler/containers/worker-files';
import { isWorker, judge } from '../../../runtime/docker-socket-proxy/policy/judge';
import {
  containerRequest,
  engineRequest,
} from '../../../runtime/docker-socket-proxy/policy/engine-request';
import type { Asked, Rules, Verdict } from '../../../runtime/docker-socket-proxy/types';
import { mouldOf } from '../autoscaler/worker-mould';

const NAME = 'k3s-worker-7';
const OPERATION = '0b3c';
const ID = 'a'.repeat(64);
const LIST = { all: 'true', filters: '{"label":["berth.autoscaler=quay"]}' };
const mould = mouldOf();

describe('docker-socket-proxy: what passes', () => {
  let rules: Rules;
  before(async () => {
    rules = { mould, files: await workerFiles(mould.template) };
  });
  const asked = (
    method: string,
    path: string,
    query: Record<string, string> | string = {},
    body: unknown = '',
  ): Asked => ({
    ...{ method, path, query: new URLSearchParams(query) },
    body: Buffer.isBuffer(body)
      ? body
      : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  });
  const verdict = (...args: Parameters<typeof asked>): Verdict => judge(asked(...args), rules);
  const create = (body: unknown, query: Record<string, string> | string = { name: NAME }) =>
    verdict('POST', '/containers/create', query, body);
  const why = (found: Verdict): string => (found.allowed ? 'allowed' : found.why);
  const good = (): Record<string, unknown> =>
    JSON.parse(JSON.stringify(workerBody(mould, NAME, OPERATION))) as Record<string, unknown>;

  it('lets through each request that workers need', () => {
    const kinds = [
      verdict('GET', '/containers/json', LIST),
      create(good()),
      verdict('PUT', `/containers/${ID}/archive`, { path: '/' }, rules.files),
      verdict('POST', `/containers/${ID}/start`),
      verdict('POST', `/containers/${NAME}/stop`, { t: '30' }),
      verdict('DELETE', `/containers/${NAME}`, { v: 'true', force: 'true' }),
    ].map((found) => (found.allowed ? found.action.kind : found.why));
    assert.deepEqual(kinds, ['list', 'create', 'files', 'start', 'stop', 'remove']);
  });

  const refused: [string, ...Parameters<typeof asked>][] = [
    ['running a command', 'POST', `/containers/${ID}/exec`, {}, { Cmd: ['sh'] }],
    ['attaching', 'POST', `/containers/${ID}/attach`, { stream: '1' }],
    ['reading files', 'GET', `/containers/${ID}/archive`, { path: '/' }],
    ['reading logs', 'GET', `/containers/${ID}/logs`, { stdout: '1' }],
    ['inspecting', 'GET', `/containers/${ID}/json`],
    ['killing', 'POST', `/containers/${ID}/kill`],
    ['changing limits', 'POST', `/containers/${ID}/update`, {}, { Memory: 0 }],
    ['renaming', 'POST', `/containers/${ID}/rename`, { name: NAME }],
    ['committing an image', 'POST', '/commit', { container: ID }],
    ['pulling', 'POST', '/images/create', { fromImage: 'evil' }],
    ['building', 'POST', '/build'],
    ['removing an image', 'DELETE', '/images/rancher'],
    ['making a volume', 'POST', '/volumes/create', {}, {}],
    ['joining a network', 'POST', '/networks/bridge/connect', {}, { Container: ID }],
    ['pruning', 'POST', '/containers/prune'],
    ['secrets of a swarm', 'GET', '/secrets'],
    ['what the engine knows', 'GET', '/info'],
    ['events', 'GET', '/events'],
    ['another version of the API', 'GET', '/v1.24/containers/json', LIST],
    ['a path that climbs', 'POST', '/containers/../images/create'],
    ['a path that hides a slash', 'POST', `/containers/x%2f..%2f..%2finfo/start`],
    ['a path with two slashes', 'GET', '//containers/json', LIST],
    ['a path with a fragment', 'POST', `/containers/${ID}#/start`],
    ['a path with a new line', 'POST', `/containers/${ID}/start\n`],
    ['a longer path', 'POST', `/containers/${ID}/start/`],
    ['another method', 'HEAD', '/containers/json', LIST],
    ['all containers', 'GET', '/containers/json', { all: 'true' }],
    ['a wider filter', 'GET', '/containers/json', { ...LIST, filters: '{}' }],
    [
      'two filters',
      'GET',
      '/containers/json',
      `${new URLSearchParams(LIST).toString()}&filters={}`,
    ],
    ['a removal that leaves volumes', 'DELETE', `/containers/${ID}`, { force: 'true' }],
    ['removing a link', 'DELETE', `/containers/${ID}`, { v: 'true', force: 'true', link: 'true' }],
    ['a start with more', 'POST', `/containers/${ID}/start`, { detachKeys: 'x' }],
    ['a stop without an end', 'POST', `/containers/${ID}/stop`],
    ['a stop that takes too long', 'POST', `/containers/${ID}/stop`, { t: '31' }],
    ['a stop that never ends', 'POST', `/containers/${ID}/stop`, { t: '-1' }],
    ['a stop by another signal', 'POST', `/containers/${ID}/stop`, { t: '1', signal: 'KILL' }],
    ['other files', 'PUT', `/containers/${ID}/archive`, { path: '/' }, 'evil'],
    ['no files', 'PUT', `/containers/${ID}/archive`, { path: '/' }],
  ];
  for (const [what, ...args] of refused)
    it(`refuses ${what}`, () => {
      assert.notEqual(why(verdict(...args)), 'allowed');
    });

  it('refuses the right files at another place', () => {
    const path = `/containers/${ID}/archive`;
    assert.match(why(verdict('PUT', path, { path: '/root' }, rules.files)), /query/);
    const overwrite = { path: '/', noOverwriteDirNonDir: '1' };
    assert.match(why(verdict('PUT', path, overwrite, rules.files)), /query/);
  });

  const hostile: [string, (body: Record<string, unknown>) => void, RegExp][] = [
    ['another image', (body) => (body.Image = 'evil'), /^Image: is not/],
    ['another command', (body) => (body.Cmd = ['server']), /^Cmd\[0\]/],
    ['one word more', (body) => (body.Cmd as string[]).push('--x'), /^Cmd\[3\]/],
    ['an entrypoint', (body) => (body.Entrypoint = ['sh']), /^Entrypoint/],
    ['a user', (body) => (body.User = '0'), /^User/],
    ['more environment', (body) => (body.Env as string[]).push('LD_PRELOAD=x'), /^Env\[3\]/],
    ['another token', (body) => ((body.Env as string[])[2] = 'K3S_TOKEN=x'), /^Env\[2\]/],
    ['another host name', (body) => (body.Hostname = 'server'), /^Hostname/],
    ['no label', (body) => delete body.Labels, /berth\.operation/],
    ['labels that are no object', (body) => (body.Labels = 'berth.operation'), /berth\.operation/],
    [
      'an operation that is a path',
      (body) => ((body.Labels as Record<string, string>)['berth.operation'] = '../x'),
      /berth\.operation/,
    ],
    [
      'the label of another estate',
      (body) => ((body.Labels as Record<string, string>)['berth.autoscaler'] = 'pier'),
      /^Labels\.berth\.autoscaler/,
    ],
    ['a volume at a bind', (body) => (body.Volumes = { '/': {} }), /^Volumes/],
    ['a bind more', (body) => hostOf(body, 'Binds').push('/:/host'), /^HostConfig\.Binds\[2\]/],
    [
      'a bind that writes',
      (body) => (hostOf(body, 'Binds')[0] = '/lib/modules:/lib/modules:rw'),
      /^HostConfig\.Binds\[0\]/,
    ],
    ['a mount', (body) => (host(body).Mounts = [{ Type: 'bind', Source: '/' }]), /Mounts/],
    ['privilege', (body) => (host(body).Privileged = true), /^HostConfig\.Privileged/],
    ['a capability more', (body) => hostOf(body, 'CapAdd').push('SYS_RESOURCE'), /CapAdd\[2\]/],
    ["the host's processes", (body) => (host(body).PidMode = 'host'), /PidMode/],
    ["the host's network", (body) => (host(body).NetworkMode = 'host'), /NetworkMode/],
    ['a device', (body) => hostOf(body, 'Devices').push('/dev/sda'), /Devices\[1\]/],
    ['a published port', (body) => (host(body).PortBindings = {}), /PortBindings/],
    ['more memory', (body) => (host(body).Memory = 0), /Memory/],
    ['no restart', (body) => (host(body).RestartPolicy = { Name: 'no' }), /RestartPolicy\.Name/],
    ['a cgroup parent', (body) => (host(body).CgroupParent = '/'), /CgroupParent/],
    ['a null', (body) => (host(body).Ulimits = null), /Ulimits/],
    ['a further network', (body) => (networks(body).bridge = {}), /EndpointsConfig\.bridge/],
    [
      'a fixed address',
      (body) => ((networks(body).quay as Record<string, unknown>).IPAMConfig = {}),
      /IPAMConfig/,
    ],
  ];
  const host = (body: Record<string, unknown>) => body.HostConfig as Record<string, unknown>;
  const hostOf = (body: Record<string, unknown>, key: string) => host(body)[key] as unknown[];
  const networks = (body: Record<string, unknown>) =>
    (body.NetworkingConfig as { EndpointsConfig: Record<string, unknown> }).EndpointsConfig;
  for (const [what, change, expected] of hostile)
    it(`does not make a container with ${what}`, () => {
      const body = good();
      change(body);
      assert.match(why(create(body)), expected);
    });

  it('does not make a container of another name, or of a body that is none', () => {
    for (const query of ['', 'name=', 'name=x', 'name=k3s-worker-0', `name=${NAME}&name=x`])
      assert.notEqual(why(create(good(), query)), 'allowed', query);
    assert.match(why(create(good(), { name: NAME, platform: 'x' })), /query/);
    assert.match(why(create(good(), { name: 'k3s-worker-8' })), /^Hostname/);
    for (const body of ['', '{', 'null', '[]', '7', '"x"', '{"Labels":null}', '['.repeat(100_000)])
      assert.notEqual(why(create(body)), 'allowed', body.slice(0, 20));
  });

  it('is not taken in by keys of the prototype, or by a key that comes twice', () => {
    const text = JSON.stringify(good());
    const more = (json: string) => create(text.replace(/^\{/, `{${json},`));
    assert.match(why(more('"__proto__":{"Image":"evil"}')), /__proto__/);
    assert.match(why(more('"toString":1')), /toString/);
    // Of two keys the last counts here; what the engine gets is written anew, and has one.
    const found = more('"Image":"evil"');
    assert.ok(found.allowed && found.action.kind === 'create');
    const sent = engineRequest(found.action, rules).body?.content;
    assert.deepEqual(JSON.parse(String(sent)), good());
  });

  it('refuses whatever differs in any one place, and does not say what was there', () => {
    const places = placesOf(good());
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue(), (place, value) => {
        const body = good();
        const parent = place
          .slice(0, -1)
          .reduce((at, key) => at[key] as Record<string, unknown>, body);
        const key = place.at(-1) ?? '';
        fc.pre(JSON.stringify(parent[key]) !== JSON.stringify(value));
        // Another operation is another body, and as good.
        fc.pre(key !== 'berth.operation' || typeof value !== 'string');
        Object.assign(parent, { [key]: value });
        const found = why(create(body));
        assert.notEqual(found, 'allowed');
        assert.ok(!found.includes(mould.clusterToken));
      }),
      { numRuns: 500 },
    );
  });

  it('acts on a container by the id that was looked up', () => {
    const paths = (['files', 'start', 'remove'] as const).map(
      (kind) => containerRequest({ kind, container: 'x' }, ID, rules).path,
    );
    assert.deepEqual(paths, [
      `/containers/${ID}/archive?path=%2F`,
      `/containers/${ID}/start`,
      `/containers/${ID}?v=true&force=true`,
    ]);
  });

  it('knows a worker by its own label', () => {
    assert.ok(isWorker({ 'berth.autoscaler': 'quay' }, rules));
    for (const labels of [{}, { 'berth.autoscaler': 'pier' }, { 'berth.operation': 'quay' }])
      assert.ok(!isWorker(labels, rules));
  });
});

/** Every place in a value of JSON at which something is. */
function placesOf(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...at]];
  const below = Object.entries(value).flatMap(([key, inner]) => placesOf(inner, [...at, key]));
  return at.length === 0 ? below : [[...at], ...below];
}
