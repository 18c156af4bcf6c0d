import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { BSON } from 'mongodb';
import { backupStack } from '../../runtime/cli/backup/backup-stack';
import { loneServer } from '../../runtime/cli/backup/datastore';
import { knownHost, sshArgs } from '../../runtime/cli/backup/host-shell';
import { parseManifest } from '../../runtime/cli/backup/manifest';
import { splitDocuments } from '../../runtime/cli/backup/mongo-dump';
import { withAddress } from '../../runtime/cli/backup/tunnel';
import { stackFolder } from '../../runtime/cli/stack-folder';

const HOST_KEY = `ssh-ed25519 ${'A'.repeat(68)}`;
const host = {
  ...{ name: 'quay', address: '192.0.2.1', port: 22, user: 'root', hostKey: HOST_KEY },
  ...({ role: 'server', arch: 'arm64', eligible: true, unreachable: false } as const),
  ...{ labels: {}, taints: [] },
};

describe('a backup', () => {
  it('splits BSON into the documents it was made of, however it is cut', async () => {
    const documents = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(documents, fc.array(fc.nat(50), { minLength: 1 }), async (all, sizes) => {
        const made = all.map((one) => Buffer.from(BSON.serialize(one)));
        const cut = async function* (whole: Buffer) {
          for (let at = 0, turn = 0; at < whole.length; turn += 1) {
            const next = at + (sizes[turn % sizes.length] ?? 0) + 1;
            yield await Promise.resolve(whole.subarray(at, next));
            at = next;
          }
        };
        const found: string[] = [];
        for await (const one of splitDocuments(cut(Buffer.concat(made))))
          found.push(one.toString('hex'));
        assert.deepEqual(
          found,
          made.map((one) => one.toString('hex')),
        );
      }),
    );
  });

  it('refuses BSON that ends amid a document, and what is none', async () => {
    const read = async (...chunks: Buffer[]) => {
      const stream = async function* () {
        for (const chunk of chunks) yield await Promise.resolve(chunk);
      };
      for await (const one of splitDocuments(stream())) assert.ok(one.length > 0);
    };
    const whole = Buffer.from(BSON.serialize({ a: 1 }));
    await assert.rejects(read(whole, whole.subarray(0, 7)), /ends amid a document/);
    await assert.rejects(read(Buffer.from([1, 0, 0, 0, 0])), /is no BSON: a document of 1 bytes/);
    await assert.rejects(read(Buffer.from('not BSON')), /is no BSON/);
  });

  it('names each field of a manifest that is wrong', () => {
    const sha256 = 'ab'.repeat(32);
    const good = {
      ...{ format: 'berth-backup/1', stack: 'edge', takenAt: '2026-01-31T12:00:00.000Z' },
      ...{ parts: ['redis'], files: [{ path: 'a/b', part: 'redis', bytes: 1, sha256 }] },
    };
    assert.deepEqual(parseManifest(JSON.stringify(good)), good);
    const fails = (wrong: object, pattern: RegExp) =>
      assert.throws(() => parseManifest(JSON.stringify({ ...good, ...wrong })), pattern);
    fails({ format: 'other', parts: ['etcd'] }, /^Error: format: .*; parts\.0: /);
    for (const path of ['/etc/passwd', '../x', 'a/../b', 'a//b', ''])
      fails({ files: [{ path, part: 'redis', bytes: 1, sha256 }] }, /files\.0\.path: must/);
    assert.throws(() => parseManifest('{'), /is not JSON/);
  });

  it('is reached under another address by the same URL', () => {
    const there = '127.0.0.1:9';
    assert.equal(withAddress('redis://:p@redis.x.svc:6379', there), 'redis://:p@127.0.0.1:9');
    assert.equal(
      withAddress('mongodb://u:p@m.x.svc:27017/?authSource=admin', there),
      'mongodb://u:p@127.0.0.1:9/?authSource=admin',
    );
    assert.equal(withAddress('redis://redis.x.svc', there), 'redis://127.0.0.1:9');
  });

  it('pins the key of a host at its port, and has no secret on the command line', () => {
    assert.equal(knownHost(host), `192.0.2.1 ${HOST_KEY}`);
    assert.equal(knownHost({ ...host, port: 2222 }), `[192.0.2.1]:2222 ${HOST_KEY}`);
    const args = sshArgs({ ...host, user: 'pi' }, '/tmp/known', '/keys/boards', 'true');
    assert.ok(args.includes('StrictHostKeyChecking=yes'));
    assert.deepEqual(args.slice(-3), ['--', '192.0.2.1', "sudo -n sh -c 'true'"]);
  });

  it('copies the data of a lone server only', () => {
    assert.equal(loneServer({ hosts: [{ ...host, role: 'agent' }, host] }), host);
    assert.throws(() => loneServer({ hosts: [host, host, host] }), /3 servers with embedded etcd/);
  });

  describe('of a stack', () => {
    let project: string;
    before(() => (project = mkdtempSync(join(tmpdir(), 'berth-backup-stack-'))));
    after(() => rmSync(project, { recursive: true, force: true }));
    const write = (stack: string, text: string) =>
      writeFileSync(join(project, `Pulumi.${stack}.yaml`), text);

    it('has what the stack has, which may be inherited', () => {
      const cluster = {
        kind: 'ssh',
        ssh: { sha256: { arm64: 'ab'.repeat(32) }, hosts: [{ ...host, port: 2222 }] },
      };
      write('base', JSON.stringify({ config: { 'berth:cluster': cluster } }));
      write('edge', 'config: { berth:extends: base }');
      const { parts, ssh } = backupStack(stackFolder(project, 'edge'));
      assert.deepEqual([parts, ssh?.hosts[0]?.port], [['datastore'], 2222]);
    });

    it('says why where there is nothing, and what is wrong with its configuration', () => {
      write('dev', 'config: {}');
      assert.throws(
        () => backupStack(stackFolder(project, 'dev')),
        /stack dev has nothing to back up:\n {2}redis: .*\n {2}mongodb: .*\n {2}datastore: berth:cluster\.kind is not ssh/,
      );
      write('wrong', 'config: { berth:cluster: { kind: sch } }');
      assert.throws(() => backupStack(stackFolder(project, 'wrong')), /berth:cluster\.kind: /);
      assert.throws(() => backupStack(stackFolder(project, 'none')), /there is no Pulumi\.none/);
    });
  });
});
