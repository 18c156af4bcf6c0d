import assert from 'node:assert/strict';
import { projectPending, waitsForNode } from '../../../runtime/autoscaler/adapters/project-pending';
import { decide } from '../../../runtime/autoscaler/policy/decide';
import type { ClaimState } from '../../../runtime/autoscaler/types';
import type { ObjectMeta, Pod, PodSpec } from '../../../runtime/shared/kubernetes/types';
import { NOW_MS, settings, snapshot } from './support';

const UNSCHEDULABLE: Pod['status'] = {
  phase: 'Pending',
  conditions: [{ type: 'PodScheduled', status: 'False' }],
};
const raw = (
  spec: Partial<PodSpec> = {},
  status: Pod['status'] = UNSCHEDULABLE,
  metadata: Partial<ObjectMeta> = {},
): Pod => ({
  metadata: { name: 'p', namespace: 'ns', uid: 'uid-p', ...metadata },
  spec: { containers: [{ name: 'main', resources: { requests: { cpu: '1' } } }], ...spec },
  ...(status && { status }),
});
const claims: Record<string, ClaimState> = {
  'ns/data': { state: 'waits-for-pod', name: 'data' },
  'ns/p-scratch': { state: 'waits-for-pod', name: 'p-scratch' },
  'ns/stuck': { state: 'cannot-bind', name: 'stuck', why: 'no such storage class' },
};
const bad: string[] = [];
const project = (pod: Pod) =>
  projectPending(
    pod,
    (namespace, name) => claims[`${namespace}/${name}`],
    (what) => void bad.push(what),
  );
const volume = (claim: string): Partial<PodSpec> => ({
  volumes: [{ name: 'v', persistentVolumeClaim: { claimName: claim } }],
});
/** Whether it makes the cluster grow. */
const grows = (pod: Pod): boolean =>
  decide(snapshot({ workers: [1, 2], pending: [project(pod)] }), settings(), NOW_MS).kind === 'up';

describe('autoscaler: which pods wait for a node', () => {
  const cases: [string, Pod, boolean][] = [
    ['one that its scheduler found no node for', raw(), true],
    ['not one that no scheduler has looked at', raw({}, { phase: 'Pending' }), false],
    ['not one without any status', raw({}, {}), false],
    ['not one that is bound', raw({ nodeName: 'a' }), false],
    ['not one that has ended', raw({}, { ...UNSCHEDULABLE, phase: 'Failed' }), false],
    ['not one that goes', raw({}, UNSCHEDULABLE, { deletionTimestamp: 'now' }), false],
    ['one behind a gate, so that it is named', raw({ schedulingGates: [{ name: 'g' }] }, {}), true],
  ];
  for (const [what, pod, expected] of cases)
    it(what, () => assert.equal(waitsForNode(pod), expected));

  const growing: [string, Pod, boolean][] = [
    ['a plain one makes it grow', raw(), true],
    ['one with a claim that waits for it does', raw(volume('data')), true],
    [
      'one with an ephemeral claim does',
      raw({ volumes: [{ name: 'scratch', ephemeral: {} }] }),
      true,
    ],
    ['one with a claim that cannot bind does not', raw(volume('stuck')), false],
    ['one without its claim does not', raw(volume('none')), false],
    ['one behind a gate does not', raw({ schedulingGates: [{ name: 'g' }] }), false],
    ['one with resource claims does not', raw({ resourceClaims: [{ name: 'gpu' }] }), false],
    [
      'one that must be spread does',
      raw({
        topologySpreadConstraints: [
          { whenUnsatisfiable: 'DoNotSchedule', topologyKey: 'kubernetes.io/hostname' },
        ],
      }),
      true,
    ],
    [
      'one that must be beside another does not',
      raw({
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'kubernetes.io/hostname' },
            ],
          },
        },
      }),
      false,
    ],
    [
      'one whose requests nobody understands does not',
      raw({ containers: [{ name: 'main', resources: { requests: { cpu: 'much' } } }] }),
      false,
    ],
  ];
  for (const [what, pod, expected] of growing) it(what, () => assert.equal(grows(pod), expected));
});
