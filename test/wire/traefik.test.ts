import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { unguarded } from '../../components/network/guard';
import { Traefik } from '../../components/platform/traefik';
import { latencyExtenderSettings } from '../../runtime/latency-extender/settings';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { parseSettings } from '../../runtime/shared/settings';
import { writeTraefikChart } from '../lab/charts/traefik';
import { objectsOf } from './support/chart-objects';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { apiOf, createNamespace, eventually } from './support/kube';
import { labChart } from './support/lab-chart';
import { startTraefik, type TraefikProcess } from './support/traefik';

const ROUTES = '/apis/traefik.io/v1alpha1/namespaces';

describe('Traefik, as the chart runs it, beside a real API server', function () {
  this.timeout(1_800_000);
  const chart = labChart(
    writeTraefikChart,
    ({ traefik }) => new Traefik('traefik', { traefik, guard: unguarded }, {}),
  );
  let plane: ControlPlane;
  let api: KubeApi;
  let traefik: TraefikProcess | undefined;
  let backend: Server;

  beforeEach(async () => {
    const all = ['template', 'traefik', '--namespace', 'traefik', '--include-crds'];
    const objects = objectsOf((await chart.helm(...all)).stdout);
    plane = await startControlPlane();
    api = await apiOf(plane.kubeconfig);
    traefik = await startTraefik(plane, api, objects);
    // An API server takes no endpoint on 127.0.0.1.
    backend = createServer((request, response) => response.end(`backend got ${request.url}`));
    await new Promise<void>((resolve) => backend.listen(0, ownAddress(), resolve));
  });
  afterEach(async () => {
    await traefik?.stop();
    await api.close();
    await plane.stop();
    backend.closeAllConnections();
    await new Promise((resolve) => backend.close(resolve));
  });

  const post = (path: string, body: object) => api.request({ method: 'POST', path, body });
  const web = (path: string) => fetch(`${traefik?.urls.web}${path}`);
  const answers = (path: string) =>
    eventually(`a route to ${path}`, async () => {
      const response = await web(path);
      return response.status === 200 && response.text();
    });

  /** A namespace with a Service `hello` that leads to the backend. */
  async function serve(namespace: string): Promise<void> {
    await createNamespace(api, namespace);
    const { address, port } = backend.address() as AddressInfo;
    await post(`/api/v1/namespaces/${namespace}/services`, {
      metadata: { name: 'hello' },
      spec: { ports: [{ name: 'http', port: 80 }] },
    });
    await post(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
      metadata: { name: 'hello-1', labels: { 'kubernetes.io/service-name': 'hello' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: 'http', port, protocol: 'TCP' }],
    });
  }

  /** Routes a path to the Service `hello`, of the route's own namespace unless another is named. */
  async function route(namespace: string, path: string, more: { services?: object } = {}) {
    const name = path.slice(1);
    const apiVersion = 'traefik.io/v1alpha1';
    await post(`${ROUTES}/${namespace}/middlewares`, {
      apiVersion,
      kind: 'Middleware',
      metadata: { name: `${name}-strip` },
      spec: { stripPrefix: { prefixes: [path] } },
    });
    await post(`${ROUTES}/${namespace}/ingressroutes`, {
      apiVersion,
      kind: 'IngressRoute',
      metadata: { name },
      spec: {
        entryPoints: ['web'],
        routes: [
          {
            kind: 'Rule',
            match: `PathPrefix(\`${path}\`)`,
            middlewares: [{ name: `${name}-strip` }],
            services: [{ name: 'hello', port: 80, ...more.services }],
          },
        ],
      },
    });
  }

  it('routes as an IngressRoute says, and counts under the name that the latency extender asks for', async () => {
    await serve('shop');
    assert.equal((await web('/hello/a')).status, 404);
    await route('shop', '/hello');
    assert.equal(await answers('/hello/a'), 'backend got /a');
    for (let more = 0; more < 4; more += 1) assert.equal((await web('/hello/b')).status, 200);

    const { busiestQuery } = parseSettings(latencyExtenderSettings, {});
    const [, metric = '', selector = ''] = /(\w+)\{([^}]+)\}/.exec(busiestQuery) ?? [];
    assert.deepEqual([metric, selector], ['traefik_entrypoint_requests_total', 'entrypoint="web"']);
    const counted = async (name: string, ...labels: string[]) => {
      const text = await (await fetch(`${traefik?.urls.metrics}/metrics`)).text();
      const line = text
        .split('\n')
        .find((one) => one.startsWith(`${name}{`) && labels.every((label) => one.includes(label)));
      return Number(line?.split(' ').at(-1));
    };
    const ok = 'code="200"';
    await eventually(
      'five requests counted on the entry point',
      async () => (await counted(metric, selector, ok)) === 5,
    );
    await eventually('and by router and service', async () => {
      const router = await counted('traefik_router_requests_total', 'router="shop-hello-', ok);
      const service = await counted('traefik_service_requests_total', 'service="shop-hello-', ok);
      return router === 5 && service === 5;
    });
  });

  it('does not lead from one namespace into another', async () => {
    await serve('shop');
    await createNamespace(api, 'thief');
    await route('thief', '/across', { services: { namespace: 'shop' } });
    await route('shop', '/within');
    // It was made after the other: who has seen it has seen both.
    assert.equal(await answers('/within'), 'backend got /');
    assert.equal((await web('/across')).status, 404);
  });
});

/** An IPv4 address of this machine that is not its loopback's. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const own = addresses.find(
    ({ family, internal, address }) =>
      family === 'IPv4' && !internal && !address.startsWith('169.254.'),
  );
  if (own === undefined) throw new Error('this machine has no IPv4 address beside its loopback');
  return own.address;
}
