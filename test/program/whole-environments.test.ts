import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import { parseEstateConfig, SECRET_KEYS, type SecretKey } from '../../components/config';
import { declareEstate } from '../../components/estate';
import { stackFileValues, withInherited, type StackValues } from '../../components/inheritance';
import { EXCEPTIONS, isExcepted } from '../../components/policies/exceptions';
import { fieldsAt, listAt, podOf } from '../../components/policies/pods';
import { POLICIES, unexcused } from '../../components/policies/policies';
import { deepMerge } from '../../runtime/shared/deep-merge';
import { record, type Declared } from './support/record';

const NAMESPACE = 'kubernetes:core/v1:Namespace';
const RELEASE = 'kubernetes:helm.sh/v3:Release';
const SECRET = 'kubernetes:core/v1:Secret';

const read = (stack: string) => stackFileValues(join(__dirname, '..', '..'), stack);
const SECRETS = Object.fromEntries(
  SECRET_KEYS.map((key) => [key, `${key}-that-nobody-may-see`]),
) as Record<SecretKey, string>;

/** What an environment can have besides what its file says. */
const MORE: StackValues = {
  images: { username: 'robot' },
  posture: { database: { enabled: true, host: 'db.example' } },
  systems: { experiment: { enabled: true } },
  platform: { metricsServer: { enabled: true } },
};
const ENVIRONMENTS: Readonly<Record<string, { stack: string; more: StackValues }>> = {
  dev: { stack: 'dev', more: {} },
  ci: { stack: 'ci', more: {} },
  edge: { stack: 'edge', more: {} },
  'dev with all that it can have': { stack: 'dev', more: MORE },
  'edge with all that it can have': { stack: 'edge', more: MORE },
};

/** All resources of an environment, as they go to the engine. */
async function resourcesOf({ stack, more }: { stack: string; more: StackValues }) {
  const values = deepMerge(withInherited(read(stack) ?? {}, read), more) as StackValues;
  const config = parseEstateConfig({
    values,
    keys: Object.keys(values),
    secrets: new Set(SECRET_KEYS),
  });
  const secrets = Object.fromEntries(
    SECRET_KEYS.map((key) => [key, pulumi.secret(SECRETS[key])]),
  ) as Record<SecretKey, pulumi.Output<string>>;
  return (await record(() => declareEstate({ config, secrets }))).declared;
}

const violations = (declared: readonly Declared[]) =>
  declared.flatMap((resource) =>
    POLICIES.flatMap((policy) =>
      unexcused(policy, resource).map(({ text }) => `${resource.name}: ${policy.name}: ${text}`),
    ),
  );

describe('whole environments', function () {
  this.timeout(300_000);
  const resources = new Map<string, readonly Declared[]>();

  before(async () => {
    for (const [name, environment] of Object.entries(ENVIRONMENTS))
      resources.set(name, await resourcesOf(environment));
  });

  for (const name of Object.keys(ENVIRONMENTS)) {
    const declared = () => resources.get(name) ?? [];

    it(`${name}: keeps to every policy`, () => {
      assert.deepEqual(violations(declared()), []);
      const pods = declared().filter((resource) => podOf(resource) !== undefined);
      assert.ok(pods.length >= 20, `${pods.length} workloads were looked at`);
    });

    it(`${name}: has no secret in a manifest that is not a Secret, nor in an image`, () => {
      const hidden = secretsIn(declared());
      for (const { type, name: resource, inputs } of declared()) {
        if (type === SECRET) continue;
        const isImage = type === 'docker-build:index:Image';
        if (!isImage && !type.startsWith('kubernetes:')) continue;
        // With its registries the builder pushes: they are no part of what it builds.
        const text = JSON.stringify(isImage ? { ...inputs, registries: undefined } : inputs);
        for (const [what, value] of hidden)
          for (const form of [value, Buffer.from(value).toString('base64')])
            assert.ok(!text.includes(form), `${type} ${resource} shows ${what}`);
      }
    });
  }

  it('are looked through for secrets of each kind', () => {
    const all = resources.get('dev with all that it can have') ?? [];
    const shown = JSON.stringify(all.filter(({ type }) => type === SECRET));
    for (const key of ['clusterToken', 'databasePassword', 'registryPassword'] as const)
      assert.ok(shown.includes(SECRETS[key]), key);
    // Of Redis, of MongoDB, of the autoscaler's API, and of what guards Docker's socket.
    const generated = secretsIn(all).filter(([what]) => what.startsWith('generated'));
    assert.equal(generated.length, 4);
  });

  it('have every exception that there is, and need it', () => {
    const all = [...resources.values()].flat();
    for (const { policy, resources: names, subject } of EXCEPTIONS) {
      const used = all
        .filter(({ name }) => names.test(name))
        .some((resource) =>
          POLICIES.find(({ name }) => name === policy)
            ?.violations(resource)
            .some((violation) => violation.subject === subject),
        );
      assert.ok(used, `${policy}: ${String(names)}: ${subject}`);
    }
  });

  /** What would be wrong with a resource, by the policy that finds it. */
  const FAULTS: Readonly<Record<string, Fault>> = {
    'no-privileged-pods': inContainer(() => ({ securityContext: { privileged: true } })),
    'resource-requests': inContainer(() => ({ resources: {} })),
    'images-by-digest': inContainer(() => ({ image: 'registry/image:latest' })),
    'no-plain-secrets': inContainer(() => ({ env: [{ name: 'API_TOKEN', value: 'hush' }] })),
    'restricted-namespaces': ({ type, inputs }) =>
      type === NAMESPACE ? { inputs: { ...inputs, metadata: {} }, subject: 'labels' } : undefined,
    'helm-versions-pinned': ({ type, inputs }) =>
      type === RELEASE
        ? { inputs: { ...inputs, version: '^1.0.0' }, subject: 'version' }
        : undefined,
  };
  for (const policy of POLICIES)
    it(`would fail by ${policy.name}, whichever of its resources had the fault`, () => {
      const fault = FAULTS[policy.name];
      assert.ok(fault, 'a policy has a fault that it finds');
      let tried = 0;
      for (const resource of [...resources.values()].flat()) {
        const bad = fault(resource);
        if (bad === undefined) continue;
        const { name } = resource;
        if (isExcepted(policy.name, name, { subject: bad.subject, text: '' })) continue;
        tried += 1;
        const found = unexcused(policy, { ...resource, inputs: bad.inputs });
        assert.ok(found.length > 0, name);
      }
      assert.ok(tried >= 5, `${tried} resources were tried`);
    });
});

/** A resource's inputs with a fault, and the part at fault; undefined for one that cannot have it. */
type Fault = (
  resource: Declared,
) => { readonly inputs: Record<string, unknown>; readonly subject: string } | undefined;

/** A fault in the first container of every pod. */
function inContainer(change: () => object): Fault {
  return (resource) => {
    const pod = podOf(resource);
    if (pod === undefined) return undefined;
    const [first = {}, ...others] = listAt(pod, 'containers');
    const faulty = structuredClone(resource.inputs);
    const spec = podOf({ ...resource, inputs: faulty }) as Record<string, unknown>;
    spec.containers = [{ ...first, ...change() }, ...others];
    return { inputs: faulty, subject: `container ${String(first.name)}` };
  };
}

/** What nobody may see: the configuration's secrets, and those that the program makes and puts into Secrets. */
function secretsIn(declared: readonly Declared[]): (readonly [string, string])[] {
  const values = declared
    .filter(({ type }) => type === SECRET)
    .map(({ inputs }) => JSON.stringify(fieldsAt(inputs, 'stringData')))
    .join('\n');
  // Derived secrets are 256 bits in base64url.
  const generated = new Set(values.match(/(?<![\w-])[\w-]{43}(?![\w-])/g) ?? []);
  return [
    ...SECRET_KEYS.map((key) => [key, SECRETS[key]] as const),
    ...[...generated].map((value, index) => [`generated secret ${index}`, value] as const),
  ];
}
