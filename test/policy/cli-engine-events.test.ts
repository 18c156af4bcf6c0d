import assert from 'node:assert/strict';
import type { EngineEvent } from '@pulumi/pulumi/automation';
import { describeChanges, isUnchanged, newsOf, plainText } from '../../runtime/cli/engine-events';
import { isLoggable } from '../../runtime/cli/run-log';

const CONTAINER = 'docker:index/container:Container';
const urn = (type: string, name: string) => `urn:pulumi:dev::berth::${type}::${name}`;

const step = (op: string, type: string, name: string, custom = true) =>
  ({ op, type, urn: urn(type, name), provider: '', new: { custom } }) as never;

const event = (content: Partial<EngineEvent>): EngineEvent => ({
  sequence: 1,
  timestamp: 0,
  ...content,
});

describe('news of engine events', () => {
  it('follows a resource from its begin to its end', () => {
    const metadata = step('create', CONTAINER, 'node-1');
    assert.deepEqual(newsOf(event({ resourcePreEvent: { metadata } })), [
      {
        kind: 'begin',
        key: `create ${urn(CONTAINER, 'node-1')}`,
        title: 'create docker Container node-1',
      },
    ]);
    assert.deepEqual(newsOf(event({ resOutputsEvent: { metadata } })), [
      { kind: 'done', key: `create ${urn(CONTAINER, 'node-1')}` },
    ]);
    assert.deepEqual(newsOf(event({ resOpFailedEvent: { metadata, status: 0, steps: 0 } })), [
      { kind: 'failed', key: `create ${urn(CONTAINER, 'node-1')}` },
    ]);
  });

  it('is silent about what stays the same, components, providers and the stack', () => {
    for (const metadata of [
      step('same', CONTAINER, 'node-1'),
      step('create', 'berth:hosts:DockerAgents', 'agents', false),
      step('create', 'pulumi:providers:docker', 'docker'),
      step('create', 'pulumi:pulumi:Stack', 'berth-dev'),
    ])
      assert.deepEqual(newsOf(event({ resourcePreEvent: { metadata } })), []);
  });

  it('says which key skips a host that does not answer, and only of such a host', () => {
    const problem = (type: string, message: string) =>
      newsOf(
        event({
          diagnosticEvent: {
            ...{ urn: urn(type, 'quay-1-k3s'), message, color: 'raw', severity: 'error' as const },
          },
        }),
      ).map((news) => news.kind === 'problem' && news.text.includes('`unreachable: true`'));
    const command = 'berth:hosts:K3sAgent$command:remote:Command';
    for (const message of [
      'after 3 failed attempts: dial tcp 10.0.0.7:22: i/o timeout',
      'dial tcp 10.0.0.7:22: connect: connection refused',
      'exit status 255:\nssh: connect to host 10.0.0.7 port 22: No route to host',
    ]) {
      assert.deepEqual(problem(command, message), [true], message);
      assert.deepEqual(problem(CONTAINER, message), [false], message);
    }
    for (const message of ['ssh: handshake failed: key mismatch', 'exit status 1: timeout'])
      assert.deepEqual(problem(command, message), [false], message);
  });

  it('passes on warnings and errors with the resource they are about', () => {
    const diagnosticEvent = {
      urn: urn(CONTAINER, 'node-1'),
      message: '<{%fg 1%}>error: no space left<{%reset%}>\n',
      color: 'raw',
      severity: 'error' as const,
    };
    assert.deepEqual(newsOf(event({ diagnosticEvent })), [
      { kind: 'problem', severity: 'error', text: 'node-1: error: no space left' },
    ]);
    const info = { ...diagnosticEvent, severity: 'info' as const };
    assert.deepEqual(newsOf(event({ diagnosticEvent: info })), []);
    assert.deepEqual(newsOf(event({ diagnosticEvent: { ...info, ephemeral: true } })), [
      { kind: 'status', key: urn(CONTAINER, 'node-1'), text: 'error: no space left' },
    ]);
  });

  it('keeps no debugging message, since those hold secrets', () => {
    const said = (severity: string) =>
      event({ diagnosticEvent: { message: 'm', color: 'raw', severity: severity as 'info' } });
    assert.deepEqual(
      ['debug', 'info', 'warning', 'error'].map((severity) => isLoggable(said(severity))),
      [false, true, true, true],
    );
    assert.equal(isLoggable(event({ cancelEvent: {} })), true);
  });

  it('takes the colours out of a message', () => {
    assert.equal(plainText('<{%fg 3%}>a<{%reset%}> \u001b[31mb\u001b[0m \n'), 'a b');
  });
});

describe('changes of an update', () => {
  it('knows no change from a change', () => {
    assert.equal(isUnchanged({ same: 40 }), true);
    assert.equal(isUnchanged({ same: 40, read: 1, update: 0 }), true);
    assert.equal(isUnchanged({ same: 40, update: 1 }), false);
  });

  it('says them in words, before and after', () => {
    const changes = { same: 40, create: 3, update: 1, replace: 2, 'create-replacement': 2 };
    assert.equal(
      describeChanges(changes, 'planned'),
      '3 to create, 1 to update, 2 to replace; 40 unchanged',
    );
    assert.equal(
      describeChanges(changes, 'done'),
      '3 created, 1 updated, 2 replaced; 40 unchanged',
    );
    assert.equal(describeChanges({ delete: 90 }, 'done'), '90 deleted');
    assert.equal(describeChanges({ same: 43 }, 'done'), 'no change; 43 resources as declared');
  });
});
