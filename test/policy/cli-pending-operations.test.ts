import assert from 'node:assert/strict';
import { halfMadeObjects, withoutPendingOperations } from '../../runtime/cli/pending-operations';

const operation = (type: string, resourceType: string, inputs: object) =>
  ({ type, resource: { urn: 'urn', type: resourceType, inputs } }) as never;

describe('pending operations of an engine that was killed', () => {
  const deployment = {
    resources: [{ urn: 'a', type: 't' }],
    pending_operations: [
      operation('creating', 'docker:index/container:Container', { name: 'berth-dev-node-1' }),
      operation('deleting', 'docker:index/container:Container', { name: 'berth-dev-node-2' }),
      operation('creating', 'kubernetes:batch/v1:Job', { metadata: { name: 'posture-pi1' } }),
      operation('creating', 'docker:index/volume:Volume', { name: 'berth-dev-node-1-var' }),
      operation('creating', 'docker:index/network:Network', {}),
    ],
  };

  it('names the Docker objects that were being created, and nothing else', () => {
    assert.deepEqual(halfMadeObjects(deployment), [
      { kind: 'container', name: 'berth-dev-node-1' },
      { kind: 'volume', name: 'berth-dev-node-1-var' },
    ]);
    assert.deepEqual(halfMadeObjects({}), []);
  });

  it('are taken out of the state, and the resources stay', () => {
    assert.deepEqual(withoutPendingOperations(deployment), {
      resources: deployment.resources,
      pending_operations: [],
    });
  });
});
