#!/usr/bin/env node
// Starts the command line from a fresh clone: plain JavaScript, since neither packages nor TypeScript are there yet.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const projectDir = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

requireNode([20, 19]);
if (!packagesAreInstalled()) installPackages();
run(process.argv.slice(2));

function requireNode([major, minor]) {
  const [hasMajor = 0, hasMinor = 0] = process.versions.node.split('.').map(Number);
  if (hasMajor > major || (hasMajor === major && hasMinor >= minor)) return;
  fail(
    `Berth needs Node.js ${major}.${minor} or newer, this is ${process.versions.node}: ` +
      'install one from https://nodejs.org (or with: nvm install 22)',
  );
}

/** True where node_modules holds what package-lock.json names. Optional packages of other platforms may lack. */
function packagesAreInstalled() {
  try {
    const wanted = readJson('package-lock.json').packages;
    const installed = readJson('node_modules/.package-lock.json').packages;
    return Object.entries(wanted).every(
      ([path, { version, optional, link }]) =>
        path === '' || link || (installed[path]?.version ?? (optional && version)) === version,
    );
  } catch {
    return false;
  }
}

function readJson(path) {
  return JSON.parse(readFileSync(join(projectDir, path), 'utf8'));
}

function installPackages() {
  process.stderr.write('Installing packages (npm ci), about a minute …\n');
  const startedMs = Date.now();
  // No install script is needed: those of Pulumi's packages fetch plugins that the engine brings itself.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const [file, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const { status, error } = spawnSync(file, [...first, ...args], {
    cwd: projectDir,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (error) fail(`npm could not be started: ${error.message}`);
  if (status !== 0) fail('npm ci failed: see above');
  process.stderr.write(`Installed packages in ${Math.round((Date.now() - startedMs) / 1000)} s\n`);
}

function run(args) {
  // A group of its own, so that Ctrl-C reaches the command once, from here, and the engine not at all: it has to be
  // asked once to end well. Only what talks to the user needs the terminal itself.
  const detached = !['lab-shell', 'env-new'].includes(args[0]);
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), join(projectDir, 'runtime/cli/main.ts'), ...args],
    // The channel tells the command when this process is no more.
    { detached, stdio: [detached ? 'ignore' : 'inherit', 'inherit', 'inherit', 'ipc'] },
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      if (detached || signal !== 'SIGINT') child.kill(signal);
    });
  child.on('error', (error) => fail(`the command could not be started: ${error.message}`));
  child.on('close', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 1);
    if (child.connected) child.disconnect();
  });
}

function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(1);
}
