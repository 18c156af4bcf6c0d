import assert from 'node:assert/strict';
import {
  claimState,
  type Claim,
  type StorageClass,
  type Volume,
} from '../../../runtime/autoscaler/policy/claim-state';

const claim = (more: Partial<Claim> = {}): Claim => ({
  ...{ uid: 'c', namespace: 'ns', name: 'data', phase: 'Pending', volumeName: '' },
  className: 'local',
  ...more,
});
const volume = (more: Partial<Volume> = {}): Volume => ({
  ...{ uid: 'v', name: 'v', available: true, className: 'local' },
  ...more,
});
const storageClass = (more: Partial<StorageClass> = {}): StorageClass => ({
  ...{ uid: 's', name: 'local', provisions: true, waitsForPod: true },
  ...more,
});
const TERMS = [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }];

describe('autoscaler: claims of pods that wait', () => {
  interface Case {
    readonly claim?: Partial<Claim>;
    readonly volumes?: readonly Volume[];
    readonly classes?: readonly StorageClass[];
    /** Words of the state as JSON. */
    readonly is: string;
  }
  const bound = { phase: 'Bound', volumeName: 'v' };
  const makesNone = [storageClass({ provisions: false })];
  const cases: Readonly<Record<string, Case>> = {
    bound: { claim: bound, volumes: [volume()], is: '"state":"bound"' },
    'bound to a volume of one node': {
      ...{ claim: bound, volumes: [volume({ terms: TERMS })], is: '"values":["n1"]' },
    },
    'bound to a volume that nobody knows': { claim: bound, is: 'volume v is not known' },
    lost: { claim: { phase: 'Lost' }, classes: [storageClass()], is: 'is lost' },
    'of a class that waits for the pod': { classes: [storageClass()], is: 'waits-for-pod' },
    'of no class': { claim: { className: undefined }, is: 'names no storage class' },
    'of the empty class': { claim: { className: '' }, is: 'names no storage class' },
    'of a class that is not there': { is: 'there is no storage class local' },
    'of a class that binds at once': {
      ...{ classes: [storageClass({ waitsForPod: false })], is: 'binds at once' },
    },
    'of a class that makes none': { classes: makesNone, is: 'makes no volumes' },
    'of a class that makes none, where one is free that every node reaches': {
      ...{ volumes: [volume()], classes: makesNone, is: 'waits-for-pod' },
    },
    'of a class that makes none, where those that are free belong to a node': {
      ...{ volumes: [volume({ terms: TERMS })], classes: makesNone, is: 'makes no volumes' },
    },
    'of a class that makes none, where none is free': {
      ...{ volumes: [volume({ available: false })], classes: makesNone, is: 'makes no volumes' },
    },
  };
  for (const [what, { claim: more, volumes = [], classes = [], is }] of Object.entries(cases))
    it(`${what}: ${is}`, () => {
      const state = claimState(claim(more), {
        volume: (name) => volumes.find((each) => each.name === name),
        volumes: () => volumes,
        storageClass: (name) => classes.find((each) => each.name === name),
      });
      assert.ok(JSON.stringify(state).includes(is), JSON.stringify(state));
      assert.equal(state.name, 'data');
    });
});
