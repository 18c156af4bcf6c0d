import assert from 'node:assert/strict';
import { imagesByDigest, requestsSet } from '../../components/policies/containers';
import { EXCEPTIONS } from '../../components/policies/exceptions';
import { helmVersionsPinned, restrictedNamespaces } from '../../components/policies/platform';
import { POLICIES, unexcused } from '../../components/policies/policies';
import { noPrivilegedPods } from '../../components/policies/privileges';
import { noPlainSecrets } from '../../components/policies/secrets';
import type { EstatePolicy, PolicyResource } from '../../components/policies/types';

const GOOD = {
  name: 'main',
  image: `registry/image@sha256:${'0'.repeat(64)}`,
  env: [
    { name: 'TLS_KEY_FILE', value: '/etc/tls/tls.key' },
    { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
    { name: 'PASSWORD', value: '' },
  ],
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  resources: { requests: { cpu: '10m', memory: '32Mi' } },
};
const spec = (container: object, pod: object = {}) => ({
  securityContext: { runAsNonRoot: true },
  ...pod,
  containers: [{ ...GOOD, ...container }],
});
const deployment = (container: object = {}, pod: object = {}): PolicyResource => ({
  type: 'kubernetes:apps/v1:Deployment',
  name: 'web',
  inputs: { spec: { template: { spec: spec(container, pod) } } },
});
const one = (type: string, inputs: Record<string, unknown>): PolicyResource => ({
  type,
  name: 'one',
  inputs,
});
const texts = (policy: EstatePolicy, resource: PolicyResource) =>
  policy.violations(resource).map(({ text }) => text);

const forbids = (policy: EstatePolicy, resource: PolicyResource, what: RegExp) => {
  const found = texts(policy, resource);
  assert.equal(found.length, 1, found.join('\n'));
  assert.match(found[0] ?? '', what);
};
const allows = (policy: EstatePolicy, resource: PolicyResource) =>
  assert.deepEqual(texts(policy, resource), []);

describe('policies', function () {
  this.timeout(300_000);

  it('allow a pod that keeps to all of them', () => {
    for (const policy of POLICIES) allows(policy, deployment());
  });

  it('let no pod have rights on its node', () => {
    const inContainer = (securityContext: object) =>
      deployment({ securityContext: { ...GOOD.securityContext, ...securityContext } });
    forbids(noPrivilegedPods, inContainer({ privileged: true }), /privileged: must not be true/);
    forbids(noPrivilegedPods, inContainer({ runAsUser: 0 }), /runAsNonRoot/);
    forbids(noPrivilegedPods, inContainer({ runAsNonRoot: false }), /runAsNonRoot/);
    forbids(noPrivilegedPods, inContainer({ capabilities: { add: ['NET_ADMIN'] } }), /add/);
    forbids(noPrivilegedPods, inContainer({ allowPrivilegeEscalation: true }), /must be false/);
    forbids(noPrivilegedPods, deployment({ securityContext: {} }), /allowPrivilegeEscalation/);
    forbids(noPrivilegedPods, deployment({}, { securityContext: {} }), /runAsNonRoot/);
    for (const key of ['hostNetwork', 'hostPID', 'hostIPC'])
      forbids(noPrivilegedPods, deployment({}, { [key]: true }), new RegExp(key));
    const volumes = [{ name: 'tmp', emptyDir: {} }];
    allows(noPrivilegedPods, deployment({}, { volumes }));
    const hostPath = [{ name: 'root', hostPath: { path: '/' } }];
    forbids(noPrivilegedPods, deployment({}, { volumes: hostPath }), /volume root is a hostPath/);
  });

  it('look into every kind that runs pods, and at the containers that start first', () => {
    const pod = spec({ securityContext: { ...GOOD.securityContext, privileged: true } });
    const template = { template: { spec: pod } };
    const kinds: Record<string, object> = {
      'kubernetes:core/v1:Pod': pod,
      'kubernetes:apps/v1:StatefulSet': template,
      'kubernetes:apps/v1:DaemonSet': template,
      'kubernetes:batch/v1:Job': template,
      'kubernetes:batch/v1:CronJob': { jobTemplate: { spec: template } },
      'kubernetes:keda.sh/v1alpha1:ScaledJob': { jobTargetRef: template },
    };
    for (const [type, inner] of Object.entries(kinds))
      forbids(noPrivilegedPods, one(type, { spec: inner }), /privileged/);
    const initContainers = [{ ...GOOD, name: 'first', image: 'busybox:1' }];
    forbids(imagesByDigest, deployment({}, { initContainers }), /container first/);
  });

  it('want requests of CPU and of memory', () => {
    forbids(requestsSet, deployment({ resources: { requests: { cpu: '1m' } } }), /memory/);
    forbids(requestsSet, deployment({ resources: { requests: { memory: '1Mi' } } }), /cpu/);
    assert.equal(texts(requestsSet, deployment({ resources: {} })).length, 2);
  });

  it('want images by digest', () => {
    forbids(imagesByDigest, deployment({ image: 'registry/image:1.2.3' }), /1\.2\.3 must end in/);
    forbids(imagesByDigest, deployment({ image: 'image@sha256:abc' }), /must end in/);
  });

  it('find secrets in variables, ConfigMaps and values of charts', () => {
    const env = (name: string, value: string) => deployment({ env: [{ name, value }] });
    for (const name of ['DB_PASSWORD', 'TOKEN', 'API_KEY', 'registry-secret'])
      forbids(noPlainSecrets, env(name, 'hush'), new RegExp(`${name} must come from a Secret`));
    for (const name of ['TOKEN_FILE', 'SECRET_NAME', 'CPU_TOKENS', 'KEY'])
      allows(noPlainSecrets, env(name, 'open'));
    forbids(noPlainSecrets, env('CA', `-----BEGIN ${'RSA'} PRIVATE KEY-----\nx`), /CA must come/);
    const map = (data: object) => one('kubernetes:core/v1:ConfigMap', { data });
    forbids(noPlainSecrets, map({ DB_PASSWORD: 'hush', PROM_URL: 'http://x' }), /DB_PASSWORD/);
    allows(noPlainSecrets, one('kubernetes:core/v1:Secret', { stringData: { password: 'hush' } }));
    const chart = (values: object) => one('kubernetes:helm.sh/v3:Release', { values });
    forbids(noPlainSecrets, chart({ a: [{ adminPassword: 'hush' }] }), /a\[0\]\.adminPassword/);
    allows(noPlainSecrets, chart({ existingSecret: 'grafana-admin', token: null }));
    for (const policy of [env('TOKEN', 'hush'), map({ TOKEN: 'hush' })])
      assert.ok(!texts(noPlainSecrets, policy).join().includes('hush'), 'the value is not shown');
  });

  it('want the restricted level of a namespace', () => {
    const level = (enforce: string) =>
      one('kubernetes:core/v1:Namespace', {
        metadata: { labels: { 'pod-security.kubernetes.io/enforce': enforce } },
      });
    allows(restrictedNamespaces, level('restricted'));
    forbids(restrictedNamespaces, level('baseline'), /baseline must be restricted/);
    forbids(restrictedNamespaces, one('kubernetes:core/v1:Namespace', {}), /undefined must be/);
  });

  it('want one version of a chart', () => {
    const release = (version?: string, chart = 'keda') =>
      one('kubernetes:helm.sh/v3:Release', { chart, version });
    allows(helmVersionsPinned, release('2.21.0'));
    allows(helmVersionsPinned, release('v1.2.3-rc.1'));
    allows(helmVersionsPinned, release(undefined, './charts/keda'));
    for (const version of [undefined, '', '^2.21.0', '2.x', '>=2', '2.21'])
      forbids(helmVersionsPinned, release(version), /must be one version/);
  });

  it('excuse the named part of the named resource, and no other', () => {
    const namespace = (name: string) => ({
      ...one('kubernetes:core/v1:Namespace', {}),
      name,
    });
    assert.deepEqual(unexcused(restrictedNamespaces, namespace('posture')), []);
    assert.equal(unexcused(restrictedNamespaces, namespace('posture-2')).length, 1);
    const job = (volume: string): PolicyResource => ({
      ...deployment({}, { volumes: [{ name: volume, hostPath: { path: '/' } }] }),
      name: 'posture-pi1-3',
    });
    assert.deepEqual(unexcused(noPrivilegedPods, job('output')), []);
    assert.equal(unexcused(noPrivilegedPods, job('root')).length, 1);
    for (const { policy, why } of EXCEPTIONS) {
      assert.ok(
        POLICIES.some(({ name }) => name === policy),
        policy,
      );
      assert.ok(why.length > 20, why);
    }
  });
});
