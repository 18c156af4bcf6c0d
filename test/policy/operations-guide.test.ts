import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../../runtime/cli/main';
import { guideCommands } from '../wire/support/operations-guide';

const root = join(__dirname, '..', '..');
const text = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const commands = guideCommands(text);

describe('docs/operations.md', () => {
  it('says of each command which test runs it, or why none does', () => {
    assert.ok(commands.length > 20);
    for (const { command, test, reason } of commands)
      assert.ok((test === undefined) !== (reason === undefined), command);
  });

  it('names tests that there are', () => {
    for (const { command, test } of commands) {
      if (test === undefined) continue;
      assert.match(test.file, /^test\/.+\.test\.ts$/);
      assert.ok(existsSync(join(root, test.file)), `${command}: ${test.file}`);
      const source = readFileSync(join(root, test.file), 'utf8');
      assert.ok(source.includes(`it('${test.title}'`), `${command}: no "${test.title}"`);
    }
  });

  it('has only commands of npm that exist, with options that they take', () => {
    const named = commands.flatMap(({ command }) => {
      const [, name, rest = ''] = /^npm run ([a-z:]+)(?: -- (.*))?$/.exec(command) ?? [];
      return name === undefined ? [] : [{ name, options: optionsOf(rest) }];
    });
    assert.ok(named.length > 10);
    for (const { name, options } of named) {
      const [, own] = /berth\.mjs (\S+)/.exec(scripts[name] ?? '') ?? [];
      const found = program().commands.find((one) => one.name() === own);
      assert.ok(found, `npm run ${name}`);
      const known = found.options.flatMap(({ short, long }) => [short, long]);
      for (const option of options) assert.ok(known.includes(option), `npm run ${name} ${option}`);
    }
  });

  it('names only scripts that exist, and links only to what is there', () => {
    for (const [, name = ''] of text.matchAll(/npm run ([a-z:]+)/g))
      assert.ok(name in scripts, `npm run ${name}`);
    for (const [, path = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g))
      assert.ok(existsSync(join(root, 'docs', path)), path);
  });

  it('is refused where a command has no test and no reason', () => {
    assert.throws(() => guideCommands('text\n\n```sh\nls\n```\n'), /no test and no reason: ls/);
    assert.deepEqual(guideCommands('<!-- not run: dull -->\n\n```sh\na |\n  b\nc\n```\n'), [
      { command: 'a | b', reason: 'dull' },
      { command: 'c', reason: 'dull' },
    ]);
  });
});

const optionsOf = (text: string): string[] =>
  text.split(' ').filter((word) => /^--?[a-z]/.test(word));
