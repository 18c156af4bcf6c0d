import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseEstateConfig } from '../../components/config';
import { nodeBlocks } from '../../components/network/node-blocks';

/** Single addresses that an estate's policies take for a node's. */
function gateways(cluster: object, nodes: number, podCidr = '10.42.0.0/16'): string[] {
  const config = parseEstateConfig({
    values: {
      cluster,
      nodes: Array.from({ length: nodes }, (_, index) => ({ name: `node-${index + 1}` })),
      networkPolicies: { podCidr },
    },
    keys: [],
    secrets: new Set(['clusterToken']),
  });
  return nodeBlocks(config)
    .map(({ cidr }) => cidr)
    .filter((cidr) => cidr.endsWith('/32'));
}

describe('where a server calls from', () => {
  it('is the first address of any range that it may have got beside the agents that start with it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), (nodes) => {
        const found = gateways({ kind: 'docker' }, nodes);
        assert.equal(found.length, Math.max(3, nodes + 1));
        assert.ok(found.includes(`10.42.${nodes}.0/32`));
      }),
      { numRuns: 20 },
    );
  });

  it('is never beyond the addresses of pods', () => {
    assert.deepEqual(gateways({ kind: 'docker' }, 9, '10.42.8.0/23'), [
      '10.42.8.0/32',
      '10.42.9.0/32',
    ]);
  });
});
