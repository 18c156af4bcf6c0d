import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { parseEstateConfig, SECRET_KEYS } from '../../components/config';
import { withInherited, type StackValues } from '../../components/inheritance';
import { reviewCluster, reviewOf, reviewPort, reviewStack } from '../../runtime/cli/review/names';
import { reviewSettings } from '../../runtime/cli/review/settings';
import { leaked, reviewsAmong } from '../../runtime/cli/review/stacks';
import { UserError } from '../../runtime/cli/user-error';

const base = fc
  .stringMatching(/^[A-Za-z0-9_.-]{1,80}$/)
  .filter((name) => reviewOf(name) === undefined);
const review = fc.record(
  { pullRequest: fc.integer({ min: 1, max: 9_999_999 }), base },
  { noNullPrototype: true },
);

describe('the names of a review', () => {
  it('say which review it is, and are those of a stack', () => {
    fc.assert(
      fc.property(review, (one) => {
        const stack = reviewStack(one);
        assert.deepEqual(reviewOf(stack), one);
        assert.match(stack, /^[A-Za-z0-9_.-]{1,100}$/);
      }),
    );
  });

  it('are a DNS label for its cluster, and another one for another review', () => {
    fc.assert(
      fc.property(review, review, (one, other) => {
        assert.match(reviewCluster(one), /^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]$/);
        if (reviewStack(one) !== reviewStack(other))
          assert.notEqual(reviewCluster(one), reviewCluster(other));
      }),
    );
  });

  it('are a port that the machine gives nobody, and that no review near it has', () => {
    const near = fc.integer({ min: 1, max: 11_999 });
    fc.assert(
      fc.property(review, near, ({ pullRequest, base: of }, distance) => {
        const port = reviewPort({ pullRequest, base: of });
        assert.ok(port >= 20_000 && port < 32_000, String(port));
        assert.notEqual(port, reviewPort({ pullRequest: pullRequest + distance, base: of }));
      }),
    );
  });

  it('are refused where there is no such review', () => {
    for (const pullRequest of [0, -1, 1.5, Number.NaN, 10_000_000])
      assert.throws(() => reviewStack({ pullRequest, base: 'ci' }), UserError);
    for (const name of ['', '../x', 'a b', 'x'.repeat(100), 'pr-1-ci'])
      assert.throws(() => reviewStack({ pullRequest: 1, base: name }), UserError, name);
    for (const stack of ['dev', 'pr-0-ci', 'pr-ci', 'pr-1-', 'pr-01-ci'])
      assert.equal(reviewOf(stack), undefined);
  });
});

describe('the configuration of a review', () => {
  const stacks: Record<string, StackValues> = {
    ci: {
      ...{ extends: 'dev', protect: 'datastores', safety: 'strict' },
      cluster: { docker: { name: 'berth-ci', apiPort: 6444, host: 'ssh://builder' } },
    },
    dev: {
      images: { registry: 'registry.example/berth', username: 'me' },
      posture: { database: { enabled: true, host: 'db' } },
      nodes: [{ name: 'node-1' }],
    },
    plant: { cluster: { kind: 'existing' } },
    'pr-9-ci': {},
    boards: {
      cluster: {
        kind: 'ssh',
        ssh: {
          sha256: { arm64: 'ab'.repeat(32) },
          hosts: [
            {
              ...{ name: 'quay', role: 'server', address: '192.0.2.1', arch: 'arm64' },
              hostKey: `ssh-ed25519 ${'A'.repeat(68)}`,
            },
          ],
        },
      },
    },
  };
  const read = (stack: string) => stacks[stack];
  const made = (pullRequest: number, of: string, hasCluster = false) =>
    reviewSettings({ pullRequest, base: of }, read, hasCluster);
  /** What the program makes of it. */
  const configOf = (...args: Parameters<typeof made>) => {
    const own = Object.fromEntries(
      Object.entries(made(...args).settings.config ?? {}).map(([key, value]) => [
        key.replace('berth:', ''),
        value,
      ]),
    );
    const values = withInherited(own, read);
    const secrets = new Set(SECRET_KEYS);
    return parseEstateConfig({ values, keys: Object.keys(values), secrets });
  };

  it("is its base's, with a cluster and images of its own, without a database, and goes as it came", () => {
    const { cluster, images, nodes, posture, protect, safety } = configOf(12, 'ci');
    const { name, apiPort, host } = cluster.docker;
    assert.deepEqual([name, host], ['berth-pr-12-ci', 'ssh://builder']);
    assert.notEqual(apiPort, 6444);
    assert.equal(images.registry, 'registry.example/berth/pr-12');
    assert.equal(posture.database.enabled, false);
    assert.deepEqual([protect, safety], ['none', 'warn']);
    assert.deepEqual(
      nodes.map((node) => node.name),
      ['node-1'],
    );
    assert.deepEqual(made(12, 'ci').secrets, ['registryPassword']);
  });

  it("never is on its base's own cluster or hosts", () => {
    assert.throws(() => made(1, 'plant'), /--kubeconfig FILE/);
    assert.throws(() => made(1, 'boards'), /hosts are the estate itself/);
    assert.throws(() => made(1, 'ci', true), /leave --kubeconfig out/);
    const { secrets, isAlone } = made(1, 'plant', true);
    assert.deepEqual([secrets, isAlone], [['kubeconfig'], true]);
  });

  it('is refused for a base that is not there, and where a stack of that name is', () => {
    assert.throws(() => made(1, 'none'), /no Pulumi\.none\.yaml/);
    assert.throws(() => made(9, 'ci'), /a stack like any other/);
  });
});

describe('reviews that are there', () => {
  it('are found by their names, and leaked where their pull request is open no more', () => {
    const there = reviewsAmong(['dev', 'pr-10-ci', 'pr-2-ci', 'ci']);
    assert.deepEqual(
      there.map(({ stack }) => stack),
      ['pr-2-ci', 'pr-10-ci'],
    );
    assert.deepEqual(
      leaked(there, [10, 11]).map(({ stack }) => stack),
      ['pr-2-ci'],
    );
  });
});
