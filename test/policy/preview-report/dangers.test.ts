import assert from 'node:assert/strict';
import { approvalKey, isApproved } from '../../../runtime/cli/preview-report/approval';
import { requireApproval } from '../../../runtime/cli/safety';
import { UserError } from '../../../runtime/cli/user-error';
import { BUDGET, event, node, replaced, reportOf, rules, volume } from './support';

const servers = (...ops: string[]) => ops.map((op, index) => node(op, 'server', `server-${index}`));
const job = (name: string) =>
  replaced({
    type: 'kubernetes:batch/v1:Job',
    name,
    old: { kind: 'Job', spec: {} },
    new: { kind: 'Job', spec: {} },
    paths: ['spec.template.spec.nodeName!'],
  });

describe('dangers of a preview', () => {
  it('are data that goes: volumes, claims, and workloads that say they are a database', () => {
    assert.deepEqual(rules([node('same', 'agent', 'a'), volume('delete', 'a')]), ['datastore']);
    const claim = { type: 'kubernetes:core/v1:PersistentVolumeClaim', name: 'data' };
    assert.deepEqual(rules([event({ ...claim, op: 'delete', old: {} })]), ['datastore']);
    assert.deepEqual(rules([event({ ...claim, op: 'create', new: {} })]), []);
    const redis = (labels: object) =>
      replaced({
        type: 'kubernetes:apps/v1:Deployment',
        name: 'redis',
        old: { metadata: { labels } },
        new: { metadata: { labels } },
        paths: ['spec.selector!'],
      });
    assert.deepEqual(rules(redis({ 'app.kubernetes.io/component': 'database' })), ['datastore']);
    assert.deepEqual(rules(redis({ 'app.kubernetes.io/component': 'cache' })), []);
  });

  it('are not the volumes of an agent that leaves, but those of a server', () => {
    assert.deepEqual(rules([node('delete', 'agent', 'a'), volume('delete', 'a')]), []);
    assert.deepEqual(rules([node('delete', 'server', 's'), volume('delete', 's')]), ['datastore']);
  });

  it('are more nodes than the budget, replaced ones too', () => {
    const two = [node('delete', 'agent', 'a'), node('replace', 'agent', 'b')];
    assert.deepEqual(rules(two), ['nodes']);
    assert.deepEqual(rules(two, { ...BUDGET, nodes: 2 }), []);
    assert.deepEqual(rules([node('create', 'agent', 'a'), node('update', 'agent', 'b')]), []);
  });

  it('are more pods than the budget', () => {
    const jobs = ['a', 'b', 'c'].flatMap(job);
    assert.deepEqual(rules(jobs, { ...BUDGET, pods: 2 }), ['pods']);
    assert.deepEqual(rules(jobs, { ...BUDGET, pods: 3 }), []);
  });

  it('are fewer than three servers where there were three', () => {
    const wide = { nodes: 10, pods: 10 };
    assert.deepEqual(rules(servers('same', 'same', 'delete'), wide), ['servers']);
    assert.deepEqual(rules(servers('same', 'same', 'delete', 'create'), wide), []);
    assert.deepEqual(rules(servers('same', 'same', 'same', 'delete'), wide), []);
    assert.deepEqual(rules(servers('same', 'delete'), wide), []);
    const hosts = ['same', 'same', 'delete'].map((op, index) =>
      event({ op, type: 'berth:hosts:K3sServer', name: `s${index}`, old: {} }),
    );
    assert.deepEqual(rules(hosts, wide), ['servers']);
  });
});

describe('approval of dangers', () => {
  const events = [node('delete', 'agent', 'a'), node('delete', 'agent', 'b')];
  const { dangers } = reportOf(events);
  const strict = { safety: 'strict', budget: BUDGET } as const;

  it('has a key that depends on what is dangerous, and on no order', () => {
    const key = approvalKey(dangers);
    assert.match(key, /^[0-9a-f]{8}$/);
    assert.equal(approvalKey(reportOf([...events].reverse()).dangers), key);
    assert.notEqual(approvalKey(reportOf([...events, node('delete', 'agent', 'c')]).dangers), key);
    assert.equal(approvalKey([]), '');
  });

  it('is asked for under strict alone, and only of what is dangerous', () => {
    assert.equal(isApproved(dangers, 'strict'), false);
    assert.equal(isApproved(dangers, 'strict', 'another'), false);
    assert.equal(isApproved(dangers, 'strict', approvalKey(dangers)), true);
    assert.equal(isApproved(dangers, 'warn'), true);
    assert.equal(isApproved([], 'strict'), true);
  });

  it('refuses with each danger and the key that would do', () => {
    const report = reportOf(events);
    assert.throws(
      () => requireApproval(report, strict, 'another'),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, /takes away 2 nodes \(a, b\)/);
        assert.match(error.message, /--approve another is the key of another change/);
        assert.ok(error.message.endsWith(`--approve ${approvalKey(dangers)}`));
        return true;
      },
    );
    requireApproval(report, strict, approvalKey(dangers));
    requireApproval(report, { ...strict, safety: 'warn' });
  });
});
