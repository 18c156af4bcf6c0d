import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { buildAnalyzerContext, buildServiceContext } from '../../components/build-context';
import type { SettingsTable } from '../../runtime/shared/settings';
import { settingRows } from '../../runtime/shared/settings-help';
import { temporaryFolder } from './support/service-process';

const load = createRequire(__filename);
const RUNTIME = path.join(__dirname, '../../runtime');
/** The command line is a program for people, not a service. */
/** Commands for people: they take options, not settings, and have tests of their own. */
const COMMANDS = ['cli', 'load-generator'];
const services = readdirSync(RUNTIME).filter(
  (name) => !COMMANDS.includes(name) && existsSync(path.join(RUNTIME, name, 'main.ts')),
);

interface Ended {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a bundled service to its end, with nothing in its environment but what is given. */
function run(folder: string, args: readonly string[], env: Record<string, string>): Promise<Ended> {
  return new Promise((resolve) => {
    const file = path.join(folder, 'main.js');
    const options = { env: { PATH: process.env['PATH'], ...env }, cwd: '/', timeout: 150_000 };
    execFile(process.execPath, [file, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

/** The settings table that a service's settings.ts exports. */
function tableOf(service: string): SettingsTable {
  const exported = load(path.join(RUNTIME, service, 'settings')) as Record<string, unknown>;
  const isTable = (value: unknown): value is SettingsTable =>
    typeof value === 'object' && value !== null && 'logLevel' in value;
  return Object.values(exported).find(isTable) ?? assert.fail(`${service} has no settings table`);
}

describe('the main of every service', function () {
  this.timeout(1_800_000);

  it('is looked at here', () => {
    for (const name of ['analyzer', 'cpu-scheduler', 'image-feeder', 'node-controller'])
      assert.ok(services.includes(name), name);
  });

  for (const service of services) {
    describe(service, () => {
      let folder: string;
      before(async () => {
        folder = await temporaryFolder(service);
        if (service === 'analyzer') buildAnalyzerContext(folder);
        else buildServiceContext(service, folder);
      });
      after(() => rm(folder, { recursive: true, force: true }));

      it('--help prints every setting with its default, and ends well', async () => {
        const { code, stdout, stderr } = await run(folder, ['--help'], {});
        assert.deepEqual([code, stderr], [0, '']);
        for (const { env, description, fallback } of settingRows(tableOf(service))) {
          const from = stdout.indexOf(`\n  ${env}\n      ${description}\n`);
          assert.ok(from >= 0, `${env} is not in the help`);
          const [, , , facts] = stdout.slice(from).split('\n');
          assert.ok(facts?.endsWith(`default: ${fallback}`), `${env}: ${facts}`);
        }
      });

      it('refuses bad settings, naming all of them, and those that are required', async () => {
        const rows = settingRows(tableOf(service));
        const required = rows.filter(({ fallback }) => fallback === 'required');
        const ports = rows.filter(({ env }) => env.endsWith('PORT'));
        const bad = Object.fromEntries(ports.map(({ env }) => [env, 'x']));
        const { code, stdout, stderr } = await run(folder, [], { LOG_LEVEL: 'loud', ...bad });
        assert.deepEqual([code, stdout], [2, '']);
        assert.match(stderr, /LOG_LEVEL "loud": must be debug, info, warn or error/);
        for (const { env } of ports) assert.ok(stderr.includes(`${env} "x": `), stderr);
        for (const { env } of required)
          assert.ok(stderr.includes(`${env} is not set: `), `${env}: ${stderr}`);
      });

      it('refuses an option that it does not know', async () => {
        const { code, stderr } = await run(folder, ['--nonsense'], {});
        assert.equal(code, 2);
        assert.match(stderr, /nonsense/);
      });
    });
  }
});
