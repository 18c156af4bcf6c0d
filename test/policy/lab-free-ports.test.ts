import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { freePorts } from '../wire/support/free-ports';

describe('ports for the programs of tests', () => {
  it('are never given twice, and never ones that outgoing connections are given', async () => {
    const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    const [first = 0, last = 0] = range.trim().split(/\s+/).map(Number);
    const ports = (await Promise.all([freePorts(20), freePorts(20), freePorts(20)])).flat();
    assert.equal(new Set(ports).size, 60);
    assert.deepEqual(
      ports.filter((port) => port >= first && port <= last),
      [],
    );
  });
});
