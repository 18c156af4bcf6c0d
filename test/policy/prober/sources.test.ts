import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CgroupCpu, nodeCgroupOf } from '../../../runtime/prober/adapters/cgroup-cpu';
import { cpuSourceOf } from '../../../runtime/prober/adapters/cpu-source';
import { addressOf, StaticPeers } from '../../../runtime/prober/adapters/peer-lists';
import { parseProcStat, ProcCpu } from '../../../runtime/prober/adapters/proc-cpu';
import { systemClock } from '../../../runtime/shared/clock';

const STAT = [
  'cpu  100 10 50 800 40 5 5 30 7 0',
  'cpu0 50 5 25 400 20 3 2 15 0 0',
  'cpu1 50 5 25 400 20 2 3 15 0 0',
  'intr 12345',
].join('\n');

describe('prober: reading CPU', () => {
  let root: string;
  const write = (files: Record<string, string>): void => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), text);
    }
  };
  const clock = { ...systemClock, monotonicMs: () => 60_000 };

  beforeEach(() => (root = mkdtempSync(path.join(tmpdir(), 'berth-prober-'))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('counts all but idle and waiting for disks in /proc/stat', async () => {
    assert.deepEqual(parseProcStat(STAT, 'stat'), { busyMs: 2000, capacityMs: 10_400, cores: 2 });
    assert.throws(() => parseProcStat('nothing', '/proc/stat'), /\/proc\/stat: has no line/);
    assert.throws(() => parseProcStat('cpu  1 x 3 4 5 6 7 8\ncpu0 1', 'stat'), /stat: has no line/);
  });

  it('reads the /proc/stat of this machine', async () => {
    const sample = await new ProcCpu('/proc').read();
    assert.ok(sample.cores >= 1 && sample.busyMs > 0 && sample.capacityMs > sample.busyMs);
  });

  it('reads a control group of version 2 against its limit', async () => {
    write({
      'cgroup.controllers': 'cpu memory',
      'node/cpu.stat': 'usage_usec 1500000\nuser_usec 1000000\n',
      'node/cpu.max': '150000 100000\n',
    });
    assert.deepEqual(await new CgroupCpu(root, '/node', clock).read(), {
      busyMs: 1500,
      capacityMs: 90_000,
      cores: 1.5,
    });
  });

  for (const [usage, limits] of [
    ['cpuacct', 'cpu'],
    ['cpu,cpuacct', 'cpu,cpuacct'],
  ])
    it(`reads a control group of version 1 in ${limits}`, async () => {
      write({
        [`${usage}/docker/x/cpuacct.usage`]: '2500000000\n',
        [`${limits}/docker/x/cpu.cfs_quota_us`]: '50000\n',
        [`${limits}/docker/x/cpu.cfs_period_us`]: '100000\n',
      });
      assert.deepEqual(await new CgroupCpu(root, '/docker/x', clock).read(), {
        busyMs: 2500,
        capacityMs: 30_000,
        cores: 0.5,
      });
    });

  it('says what to do about a group without a limit, and about a file that holds no number', async () => {
    write({ 'cgroup.controllers': '', 'a/cpu.stat': 'usage_usec 1\n', 'a/cpu.max': 'max 100000' });
    await assert.rejects(new CgroupCpu(root, '/a', clock).read(), /no CPU limit.*CPU_SOURCE=proc/);
    write({ 'b/cpu.stat': 'nr_periods 0\n' });
    await assert.rejects(new CgroupCpu(root, '/b', clock).read(), /b\/cpu.stat: holds no number/);
    await assert.rejects(new CgroupCpu(root, '/c', clock).read(), /ENOENT/);
  });

  it('finds the control group of the node from its own', () => {
    const table: [string, string][] = [
      [
        '2:cpuacct:/docker/abc/kubepods/besteffort/podx/y\n1:cpu:/docker/abc/kubepods/z',
        '/docker/abc',
      ],
      ['3:cpu,cpuacct:/docker/abc/kubepods.slice/x', '/docker/abc'],
      ['0::/system.slice/docker-1.scope/kubepods/pod1', '/system.slice/docker-1.scope'],
      ['0::/', '/'],
      ['0::/../../other', '/'],
      ['1:cpu:/kubepods/burstable/x', '/'],
    ];
    for (const [text, group] of table) assert.equal(nodeCgroupOf(text), group, text);
  });

  it('takes the control group by itself only where that has a limit', async () => {
    write({
      'proc/self/cgroup': '0::/node/kubepods/pod1',
      'proc/stat': STAT,
      'sys/cgroup.controllers': '',
      'sys/node/cpu.stat': 'usage_usec 1\n',
      'sys/node/cpu.max': 'max 100000',
    });
    const settings = {
      cpuSource: 'auto',
      cgroupPath: 'auto',
      cgroupRoot: path.join(root, 'sys'),
      procRoot: path.join(root, 'proc'),
    } as const;
    assert.equal((await cpuSourceOf(settings, clock)).kind, 'proc');
    write({ 'sys/node/cpu.max': '100000 100000' });
    assert.equal((await cpuSourceOf(settings, clock)).kind, 'cgroup');
    assert.equal((await cpuSourceOf({ ...settings, cpuSource: 'proc' }, clock)).kind, 'proc');
  });
});

describe('prober: lists of peers', () => {
  it('reads a list as it is written', async () => {
    assert.deepEqual(await new StaticPeers('a:1, [fd00::1]:3000,').addresses(), [
      'a:1',
      '[fd00::1]:3000',
    ]);
    assert.throws(() => new StaticPeers('a:1,b'), /PEERS: "b" is not host:port/);
  });

  it('puts IPv6 addresses into brackets', () => {
    assert.equal(addressOf('10.0.0.1', 4, 3000), '10.0.0.1:3000');
    assert.equal(addressOf('fd00::1', 6, 3000), '[fd00::1]:3000');
  });
});
