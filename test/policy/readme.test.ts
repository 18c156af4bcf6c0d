import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

describe('README.md', () => {
  it('names only npm scripts that exist', () => {
    const named = [...readme.matchAll(/npm run ([a-z:]+)/g)].map(([, name = '']) => name);
    assert.ok(named.length > 0);
    for (const name of named) assert.ok(name in scripts, `npm run ${name}`);
  });

  it('names every command of the command line', () => {
    const commands = Object.entries(scripts).filter(([, line]) => line.includes('berth.mjs'));
    for (const [name] of commands.filter(([name]) => !['test', 'test:fast'].includes(name)))
      assert.ok(readme.includes(`npm run ${name}`), `npm run ${name} is explained`);
    assert.ok(readme.includes('npm test'));
  });

  it('links only to files that are there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path);
    assert.ok(links.length > 0);
    for (const path of links) assert.ok(existsSync(join(root, path)), path);
  });

  it('stays short', () => {
    assert.ok(readme.split('\n').length <= 200);
  });
});
