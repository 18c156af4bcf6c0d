import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { invocationOf, type RunSpec } from '../lab/plugins/language-nodejs/invocation';
import { parseOptions, splitWords } from '../lab/plugins/language-nodejs/options';
import { endOf, runProgram } from '../lab/plugins/language-nodejs/program';

const spec: RunSpec = {
  organization: 'organization',
  project: 'tiny',
  stack: 'dev',
  rootDirectory: '/p/.berth/dev/project',
  programDirectory: '/p',
  entryPoint: '.',
  options: { typescript: false, nodeargs: '--import tsx' },
  config: new Map([
    ['tiny:name', '"x"'],
    ['tiny:config:old', '1'],
  ]),
  configSecretKeys: ['tiny:name'],
  args: [],
  dryRun: true,
  parallel: 4,
  monitorAddress: '127.0.0.1:1',
  engineAddress: '127.0.0.1:2',
};

describe('lab language host: how a program is started', () => {
  it('puts node arguments before the runner and the entry point after its flags', () => {
    const { args } = invocationOf(spec, '/run.js');
    assert.deepEqual(args.slice(0, 3), ['--import', 'tsx', '/run.js']);
    assert.equal(args.at(-1), '.');
    assert.ok(args.includes('--dry-run'));
    assert.equal(args[args.indexOf('--root-directory') + 1], '/p/.berth/dev/project');
    assert.equal(args[args.indexOf('--pwd') + 1], '/p');
  });

  it('hands over configuration under old-style keys, and which of it is secret', () => {
    const { env } = invocationOf(spec, '/run.js');
    assert.deepEqual(JSON.parse(env.PULUMI_CONFIG ?? ''), {
      'tiny:config:name': '"x"',
      'tiny:config:old': '1',
    });
    assert.deepEqual(JSON.parse(env.PULUMI_CONFIG_SECRET_KEYS ?? ''), ['tiny:name']);
    assert.equal('PULUMI_NODEJS_TYPESCRIPT' in env, false);
  });

  it('lets Pulumi compile TypeScript unless the options say otherwise', () => {
    const { env } = invocationOf({ ...spec, options: {}, dryRun: false }, '/run.js');
    assert.equal(env.PULUMI_NODEJS_TYPESCRIPT, 'true');
  });

  for (const options of [{ typescript: 'no' }, { nodeargs: 1 }, { binary: 'x' }]) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      assert.throws(() => parseOptions(options), new RegExp(Object.keys(options)[0] ?? ''));
    });
  }

  it('splits any words that a shell would be given back into the same words', () => {
    const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        assert.deepEqual(splitWords(words.map(quoted).join(' ')), words);
      }),
    );
  });

  it('refuses a quotation that is not closed', () => {
    assert.throws(() => splitWords(`--a "b`), /not closed/);
  });
});

describe('lab language host: how a program ended', () => {
  it('says nothing more when the program has shown its error', () => {
    assert.deepEqual(endOf(32, null, false), { error: '', bail: true });
  });

  it('names the exit code, and memory where that was the reason', () => {
    assert.match(endOf(3, null, false).error, /exit code: 3$/);
    assert.match(endOf(null, 'SIGABRT', true).error, /SIGABRT.*max-old-space-size/);
  });

  it('interrupts the program when the engine cancels', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'berth-host-')));
    const runner = join(folder, 'run.js');
    const mark = join(folder, 'mark');
    writeFileSync(
      runner,
      `require('fs').writeFileSync(${JSON.stringify(mark)}, process.cwd()); setInterval(() => {}, 1000);`,
    );
    const before = process.env.PULUMI_LANGUAGE_NODEJS_RUN_PATH;
    process.env.PULUMI_LANGUAGE_NODEJS_RUN_PATH = runner;
    try {
      const stop = new AbortController();
      const end = runProgram(
        { ...spec, options: { typescript: false }, programDirectory: folder },
        stop.signal,
      );
      const waited = spawnSync('sh', [
        '-c',
        `until [ -s "${mark}" ]; do sleep 0.05; done; cat "${mark}"`,
      ]);
      stop.abort();
      assert.equal(waited.stdout.toString(), folder);
      assert.match((await end).error, /SIGINT/);
    } finally {
      if (before === undefined) delete process.env.PULUMI_LANGUAGE_NODEJS_RUN_PATH;
      else process.env.PULUMI_LANGUAGE_NODEJS_RUN_PATH = before;
      rmSync(folder, { recursive: true });
    }
  });

  it('says that the SDK is missing where it is', async () => {
    const { error } = await runProgram(
      { ...spec, programDirectory: '/' },
      new AbortController().signal,
    );
    assert.match(error, /Pulumi SDK has not been installed/);
  });
});
