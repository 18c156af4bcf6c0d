import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { cycleFields, cycleText, type CycleLine } from '../../../runtime/autoscaler/log/cycle-text';
import { autoscalerLog, forPeople } from '../../../runtime/autoscaler/log/logger';
import { decide } from '../../../runtime/autoscaler/policy/decide';
import { createLogger } from '../../../runtime/shared/log';
import { SettingsError } from '../../../runtime/shared/settings';
import { bound, NOW_MS, settings, snapshot, waiting } from './support';

const PLAIN = { separator: (text: string) => text, header: (text: string) => text };
const lineOf = (
  seen: ReturnType<typeof snapshot>,
  { dryRun = false, env = {} }: { dryRun?: boolean; env?: Record<string, string> } = {},
): CycleLine => ({
  ...{ msg: 'cycle', time: '2025-12-15T09:53:05.120Z' },
  ...cycleFields(23, dryRun, decide(seen, settings(env), NOW_MS)),
});

describe('autoscaler: a cycle in the log', () => {
  it('is a numbered separator and three sections', () => {
    const text = cycleText(
      lineOf(snapshot({ workers: [1, 2], cpu: 0.452, memory: 0.678 }), { dryRun: true }),
      PLAIN,
    );
    assert.equal(
      text,
      `
================== AUTOSCALING CYCLE #23 ==================
--- METRICS COLLECTION [2025-12-15 09:53:05] ---
Collected metrics: 2 nodes, 0 pending, CPU: 45.2%, Memory: 67.8%

--- SCALING DECISION [2025-12-15 09:53:05] ---
Decision: No scaling (there are 2 of at least 2)

--- SCALING EXECUTION [2025-12-15 09:53:05] ---
Dry-run mode: Skipping actual scaling execution
`,
    );
  });

  it('says what is begun, and what it rests on', () => {
    const up = cycleText(lineOf(snapshot({ pending: [waiting(), waiting({ cpu: '99' })] })), PLAIN);
    assert.match(up, /1 pending/);
    assert.match(up, /Pod \S+ waits in vain: no new node would take it/);
    assert.match(up, /Decision: Scale up by 1 \(1 pods wait that a new node would take\)/);
    assert.match(up, /Adding 1 worker\n/);
    const down = cycleText(lineOf(snapshot()), PLAIN);
    assert.match(down, /Decision: Scale down k3s-worker-3 \(/);
    assert.match(down, /Removing k3s-worker-3\n/);
    const bare = snapshot({ pods: [bound('alone', 3, { owner: null })] });
    assert.match(
      cycleText(lineOf(bare), PLAIN),
      /Node k3s-worker-3 stays: pod .*has no controller/,
    );
  });

  it('shows what is unknown as a range, not as 0', () => {
    const text = cycleText(lineOf(snapshot({ workers: [1, 2], cpu: null })), PLAIN);
    assert.match(text, /CPU: 0\.0\.\.100\.0% \(unknown of 2\)/);
  });
});

describe('autoscaler: the log for people', () => {
  const written = (colours: boolean): string => {
    let all = '';
    const to = { write: (text: string) => void (all += text) };
    const log = createLogger('autoscaler', 'debug', forPeople(to, colours));
    log.info(cycleFields(23, false, decide(snapshot(), settings(), NOW_MS)), 'cycle');
    log.warn({ store: 'redis', err: new Error('gone') }, 'cannot be reached');
    return all;
  };

  it('has cycles as sections, and other lines with their level and fields', () => {
    const text = written(false);
    assert.match(text, /^\n={18} AUTOSCALING CYCLE #23 ={18}\n--- METRICS COLLECTION \[/);
    assert.match(text, /\n\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] WARN: cannot be reached/);
    assert.match(text, /"store":"redis"/);
    assert.match(text, /Error: gone/);
    assert.equal(stripVTControlCharacters(text), text);
  });

  it('differs by colours alone on a terminal', () => {
    const text = written(true);
    const withoutTime = (one: string) => one.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'T');
    assert.notEqual(stripVTControlCharacters(text), text);
    const headers = stripVTControlCharacters(text).split('\n').slice(0, 12).join('\n');
    assert.equal(
      withoutTime(headers),
      withoutTime(written(false).split('\n').slice(0, 12).join('\n')),
    );
  });
});

describe('autoscaler: the log in a file', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'berth-log-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is JSON, goes on after what is there, and keeps to the level', () => {
    const logFile = path.join(folder, 'logs', 'autoscaler.log');
    for (const text of ['first', 'second']) {
      const log = autoscalerLog({ logLevel: 'error', logFormat: 'json', logFile });
      log.info('nobody wants to know');
      log.error(text);
    }
    const lines = readFileSync(logFile, 'utf8').trim().split('\n');
    const parsed = lines.map((line) => JSON.parse(line) as { msg: string; level: string });
    assert.deepEqual(
      parsed.map(({ msg, level }) => [level, msg]),
      [
        ['error', 'first'],
        ['error', 'second'],
      ],
    );
  });

  it('that cannot be opened is refused by name', () => {
    assert.ok(existsSync(folder));
    assert.throws(
      () => autoscalerLog({ logLevel: 'info', logFormat: 'json', logFile: folder }),
      (error) =>
        error instanceof SettingsError && /LOG_FILE .*cannot be opened/.test(error.message),
    );
  });
});
