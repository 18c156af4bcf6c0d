import assert from 'node:assert/strict';
import { podRequests } from '../../../runtime/cpu-scheduler/policy/pod-requests';
import { unhandledNeeds } from '../../../runtime/cpu-scheduler/policy/unhandled-needs';
import type { PodSpec } from '../../../runtime/shared/kubernetes/types';

const container = (cpu: string, restartPolicy?: string) => ({
  name: `c-${cpu}`,
  resources: { requests: { cpu } },
  ...(restartPolicy !== undefined && { restartPolicy }),
});

describe('cpu-scheduler: what a pod asks for', () => {
  const rows: readonly [string, PodSpec, number][] = [
    ['containers together', { containers: [container('1'), container('250m')] }, 1250],
    [
      'the hungriest init container, where that is more',
      { containers: [container('1')], initContainers: [container('2'), container('3')] },
      3000,
    ],
    [
      'the containers, where that is more',
      { containers: [container('4')], initContainers: [container('3')] },
      4000,
    ],
    [
      'sidecars with the containers',
      { containers: [container('1')], initContainers: [container('2', 'Always')] },
      3000,
    ],
    [
      'an init container beside the sidecars before it',
      { containers: [container('1')], initContainers: [container('2', 'Always'), container('3')] },
      5000,
    ],
    [
      'an init container without the sidecars after it',
      { containers: [container('1')], initContainers: [container('3'), container('1', 'Always')] },
      3000,
    ],
    [
      'pod-level requests in their place',
      { containers: [container('1')], resources: { requests: { cpu: '5' } } },
      5000,
    ],
    ['overhead on top', { containers: [container('1')], overhead: { cpu: '100m' } }, 1100],
    ['fractions of a thousandth rounded up', { containers: [container('0.0001')] }, 1],
  ];
  for (const [what, spec, cpuMillis] of rows) {
    it(`${what}: ${cpuMillis} m`, () => assert.equal(podRequests(spec).cpuMillis, cpuMillis));
  }

  it('a container resized in place counts with the larger of spec and status', () => {
    const spec = { containers: [container('1')] };
    const status = { containerStatuses: [{ name: 'c-1', resources: { requests: { cpu: '2' } } }] };
    assert.equal(podRequests(spec, status).cpuMillis, 2000);
  });
});

describe('cpu-scheduler: what it does not handle', () => {
  const term = { topologyKey: 'zone' };
  const rows: readonly [string, Partial<PodSpec>, RegExp | undefined][] = [
    [
      'a volume claim',
      { volumes: [{ name: 'v', persistentVolumeClaim: {} }] },
      /volume "v" \(persistentVolumeClaim\)/,
    ],
    ['an ephemeral claim', { volumes: [{ name: 'v', ephemeral: {} }] }, /volume "v" \(ephemeral\)/],
    [
      'volumes every node has',
      {
        volumes: [
          { name: 'v', emptyDir: {} },
          { name: 'w', hostPath: {} },
        ],
      },
      undefined,
    ],
    [
      'required pod affinity',
      { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
      /inter-pod affinity/,
    ],
    [
      'required pod anti-affinity over zones',
      {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [{ ...term, topologyKey: 'zone' }],
          },
        },
      },
      /inter-pod anti-affinity .* over "zone"/,
    ],
    [
      'required pod anti-affinity over nodes',
      {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { ...term, topologyKey: 'kubernetes.io/hostname' },
            ],
          },
        },
      },
      undefined,
    ],
    [
      'topology spread with DoNotSchedule',
      { topologySpreadConstraints: [{ topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] },
      /topology spread over "zone"/,
    ],
    [
      'topology spread with ScheduleAnyway',
      { topologySpreadConstraints: [{ topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }] },
      undefined,
    ],
    ['resource claims', { resourceClaims: [{ name: 'gpu' }] }, /resource claims/],
  ];
  for (const [what, spec, text] of rows) {
    it(`${what}: ${text === undefined ? 'handled' : 'refused'}`, () => {
      const needs = unhandledNeeds({ containers: [], ...spec });
      if (text === undefined) assert.deepEqual(needs, []);
      else assert.match(needs.join(), text);
    });
  }
});
