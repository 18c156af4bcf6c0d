import assert from 'node:assert/strict';
import { giveBack, takeMemory } from '../../../runtime/workload/memory';

describe('workload memory', () => {
  it('is all written to, and gone once it is given back', () => {
    const memory = takeMemory(3 * 1024 * 1024);
    const bytes = new Uint8Array(memory);
    assert.equal(bytes.length, 3 * 1024 * 1024);
    assert.ok(bytes.every((byte) => byte === 1));
    giveBack(memory);
    assert.equal(memory.byteLength, 0);
    giveBack(memory);
    giveBack(undefined);
    assert.equal(takeMemory(0).byteLength, 0);
  });
});
