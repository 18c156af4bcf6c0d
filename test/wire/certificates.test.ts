import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { Stack, UpResult } from '@pulumi/pulumi/automation';
import { serviceNames } from '../../components/platform/certificates';
import { LEAF_HOURS, ProgramCertificates } from '../../components/platform/certificates/program';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { startEngine, type Engine } from './support/engine';

const NAMESPACE = 'default';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DNS_NAMES = serviceNames('extender', NAMESPACE);
const [HOST = ''] = DNS_NAMES;

/** What is in a Secret. */
interface Shown {
  readonly certificate: X509Certificate;
  readonly authority: X509Certificate;
  readonly key: string;
}

describe("certificates by the program, under Pulumi's engine and against an API server", function () {
  this.timeout(600_000);
  let plane: ControlPlane;
  let engine: Engine;
  let stack: Stack;
  let core: CoreV1Api;
  /** When the program thinks that it runs: in the middle of a period of 90 days, so that none ends while it does. */
  let nowMs = (Math.floor(Date.now() / (90 * DAY_MS)) + 0.5) * 90 * DAY_MS;

  const program = async () => {
    const provider = new k8s.Provider('k8s', { kubeconfig: pulumi.secret(plane.kubeconfig) });
    new ProgramCertificates(
      'extender',
      {
        namespace: NAMESPACE,
        server: { secret: 'extender-tls', dnsNames: DNS_NAMES },
        client: { secret: 'extender-client-tls', commonName: 'scheduler' },
      },
      { providers: [provider] },
      nowMs,
    );
    return Promise.resolve();
  };
  const changes = ({ summary }: UpResult): Record<string, number> =>
    Object.fromEntries(
      Object.entries(summary.resourceChanges ?? {}).filter(([kind]) => kind !== 'same'),
    );
  const shown = async (name: string): Promise<Shown> => {
    const { data, type } = await core.readNamespacedSecret({
      ...{ name, namespace: NAMESPACE },
    });
    assert.equal(type, 'kubernetes.io/tls');
    const file = (key: string) => Buffer.from(data?.[key] ?? '', 'base64').toString();
    return {
      certificate: new X509Certificate(file('tls.crt')),
      authority: new X509Certificate(file('ca.crt')),
      key: file('tls.key'),
    };
  };

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    [plane, engine] = await Promise.all([
      startControlPlane({ controllerManager: true }),
      startEngine(['tls', 'kubernetes']),
    ]);
    const config = new KubeConfig();
    config.loadFromString(plane.kubeconfig);
    core = config.makeApiClient(CoreV1Api);
    stack = await engine.stack(program);
  });
  after(async () => {
    await engine?.stop();
    await plane?.stop();
  });

  it('puts into two Secrets what an authority of their own has signed, each for its one use', async () => {
    await stack.up();
    for (const [name, use] of [
      ['extender-tls', '1.3.6.1.5.5.7.3.1'],
      ['extender-client-tls', '1.3.6.1.5.5.7.3.2'],
    ] as const) {
      const { certificate, authority, key } = await shown(name);
      assert.ok(authority.ca);
      assert.ok(authority.verify(authority.publicKey));
      assert.ok(!certificate.ca);
      assert.ok(certificate.checkIssued(authority));
      assert.ok(certificate.verify(authority.publicKey));
      assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
      assert.deepEqual(certificate.keyUsage, [use]);
      const hours = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / HOUR_MS;
      assert.equal(hours, LEAF_HOURS);
      assert.ok(Date.parse(certificate.validFrom) <= Date.now());
      assert.ok(Date.parse(authority.validTo) > Date.parse(certificate.validTo));
    }
    const { certificate } = await shown('extender-tls');
    for (const name of DNS_NAMES) assert.equal(certificate.checkHost(name), name);
    assert.equal(certificate.checkHost('another.default.svc'), undefined);
    assert.match((await shown('extender-client-tls')).certificate.subject, /CN=scheduler/);
  });

  it('has no key in plain text in the state, nor that of the authority in the cluster', async () => {
    const state = await engine.state();
    assert.doesNotMatch(state, /PRIVATE KEY/);
    const { authority } = await shown('extender-tls');
    const { items } = await core.listNamespacedSecret({ namespace: NAMESPACE });
    for (const { data } of items)
      for (const value of Object.values(data ?? {})) {
        const pem = Buffer.from(value, 'base64').toString();
        if (!pem.includes('PRIVATE KEY')) continue;
        assert.ok(!authority.checkPrivateKey(createPrivateKey(pem)));
      }
  });

  it('changes nothing within the same period', async () => {
    nowMs += DAY_MS;
    assert.deepEqual(changes(await stack.up()), {});
  });

  it('renews both with other keys in a later one, of the same authority and in Secrets of the same names', async () => {
    const before = await shown('extender-tls');
    nowMs += 90 * DAY_MS;
    // A key, its request, the certificate and the Secret of each side: what is in a Secret is never changed in place.
    assert.deepEqual(changes(await stack.up()), { replace: 8 });
    const after = await shown('extender-tls');
    assert.equal(after.authority.raw.toString('hex'), before.authority.raw.toString('hex'));
    assert.notEqual(after.key, before.key);
    assert.notEqual(after.certificate.serialNumber, before.certificate.serialNumber);
    assert.ok(after.certificate.verify(before.authority.publicKey));
    assert.ok(after.certificate.checkPrivateKey(createPrivateKey(after.key)));
    assert.equal(after.certificate.checkHost(HOST), HOST);
  });

  it('takes both Secrets away again', async () => {
    await stack.destroy();
    const { items } = await core.listNamespacedSecret({ namespace: NAMESPACE });
    assert.deepEqual(
      items.map(({ metadata }) => metadata?.name).filter((name) => name?.startsWith('extender')),
      [],
    );
  });
});
