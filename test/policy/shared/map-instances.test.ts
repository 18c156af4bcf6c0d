import assert from 'node:assert/strict';
import { hostOf, mapInstances } from '../../../runtime/shared/node-cpu/map-instances';
import { node } from '../cpu-scheduler/support';

const at = (instance: string, cpuRatio: number, nodeLabel = '', takenAtMs = 1) => ({
  node: nodeLabel,
  instance,
  reading: { cpuRatio, takenAtMs },
});
const ip = (address: string) => [{ type: 'InternalIP', address }];

describe('node CPU: which node an instance is', () => {
  const nodes = [
    node('n1', { addresses: ip('10.0.0.1') }),
    node('n2', { addresses: [...ip('fd00::2'), { type: 'Hostname', address: 'host-2' }] }),
    node('n3', { labels: { 'kubernetes.io/hostname': 'host-3' } }),
  ];
  const rows: readonly [string, ReturnType<typeof at>, string | undefined][] = [
    ['by the node label', at('10.0.0.9:9100', 0.5, 'n1'), 'n1'],
    ['by the node label before the address', at('10.0.0.1:9100', 0.5, 'n3'), 'n3'],
    ['by InternalIP', at('10.0.0.1:9100', 0.5), 'n1'],
    ['by InternalIP where the node label is of no node', at('10.0.0.1:9100', 0.5, 'gone'), 'n1'],
    ['by an IPv6 address in brackets', at('[fd00::2]:9100', 0.5), 'n2'],
    ['by a bare IPv6 address', at('fd00::2', 0.5), 'n2'],
    ['by the Hostname address', at('host-2:9100', 0.5), 'n2'],
    ['by the hostname label', at('host-3', 0.5), 'n3'],
    ['by the name of the node', at('n3:9100', 0.5), 'n3'],
    ['not at all', at('10.0.0.7:9100', 0.5), undefined],
  ];
  for (const [how, reading, name] of rows) {
    it(`${how}: ${name ?? 'unmapped'}`, () => {
      const { byNode, unmapped } = mapInstances([reading], nodes);
      assert.deepEqual([...byNode.keys()], name === undefined ? [] : [name]);
      assert.deepEqual(unmapped, name === undefined ? [reading.instance] : []);
    });
  }

  it('takes the newer of two readings of one node, and the higher of two as new', () => {
    const ratioOf = (...readings: ReturnType<typeof at>[]) =>
      mapInstances(readings, nodes).byNode.get('n1')?.cpuRatio;
    assert.equal(ratioOf(at('n1', 0.9, '', 1), at('10.0.0.1', 0.2, '', 2)), 0.2);
    assert.equal(ratioOf(at('n1', 0.9, '', 2), at('10.0.0.1', 0.2, '', 2)), 0.9);
  });

  it('cuts the port off and nothing else', () => {
    assert.deepEqual(['a:1', 'a', '[::1]:9', '::1', 'a.b:80'].map(hostOf), [
      'a',
      'a',
      '::1',
      '::1',
      'a.b',
    ]);
  });
});
