import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const root = join(__dirname, '..', '..');
const text = readFileSync(join(root, '.github', 'workflows', 'preview.yaml'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

interface Workflow {
  readonly on: { readonly pull_request: object };
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly if: string;
        readonly env: Readonly<Record<string, string>>;
        readonly steps: readonly Step[];
      }
    >
  >;
}
interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

const workflow = parse(text) as Workflow;
const steps = workflow.jobs.preview?.steps ?? [];

describe('the workflow of reviews', () => {
  const review = readFileSync(join(root, '.github', 'workflows', 'review.yaml'), 'utf8');
  const { jobs, permissions } = parse(review) as Workflow;

  it('puts nothing of a pull request into a script, and runs only what exists', () => {
    for (const step of Object.values(jobs).flatMap((job) => job.steps)) {
      assert.equal(Number(step.uses !== undefined) + Number(step.run !== undefined), 1);
      assert.ok(!step.run?.includes('${{'), step.run);
    }
    assert.ok('review' in scripts);
    assert.deepEqual(permissions, { contents: 'read', 'pull-requests': 'read' });
  });

  it('gives neither secrets nor machines to code from elsewhere', () => {
    for (const name of ['up', 'down'])
      assert.match(jobs[name]?.if ?? '', /head\.repo\.full_name == github\.repository/);
    assert.match(jobs.clean?.if ?? '', /^github\.event_name == 'schedule'$/);
  });

  it('reviews with a base that the project has, by the engine of the preview', () => {
    const [, base = ''] = /^ {2}BASE: (\S+)$/m.exec(review) ?? [];
    assert.match(readFileSync(join(root, `Pulumi.${base}.yaml`), 'utf8'), /^config:/m);
    const versions = (of: string) => new Set(of.match(/pulumi-version: \S+/g));
    assert.deepEqual(versions(review), versions(text));
  });
});

describe('the workflow that comments a preview', () => {
  it('is one job of steps that each do one thing, on pull requests', () => {
    assert.ok('pull_request' in workflow.on);
    assert.ok(steps.length > 0);
    for (const step of steps)
      assert.equal(Number(step.uses !== undefined) + Number(step.run !== undefined), 1);
  });

  it('runs only npm scripts that exist', () => {
    const named = [...text.matchAll(/npm run (?:--silent )?([a-z:]+)/g)].map(
      ([, name = '']) => name,
    );
    assert.deepEqual(named.sort(), ['check', 'preview', 'up']);
    for (const name of named) assert.ok(name in scripts, name);
  });

  it("previews with the engine's version of the program", () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string }>;
    };
    const engine = steps.find(({ uses }) => uses?.startsWith('pulumi/actions@'));
    assert.equal(
      engine?.with?.['pulumi-version'],
      lock.packages['node_modules/@pulumi/pulumi']?.version,
    );
  });

  it('gives no secret to code from elsewhere, and no more rights than a comment takes', () => {
    assert.match(workflow.jobs.preview?.if ?? '', /head\.repo\.full_name == github\.repository/);
    assert.deepEqual(workflow.permissions, { contents: 'read', 'pull-requests': 'write' });
    // What is put into a script by the workflow's own templates is code there: values come by the environment.
    for (const { run } of steps) assert.ok(!run?.includes('${{'), run);
  });

  it('previews a stack that the project has', () => {
    const stack = workflow.jobs.preview?.env.STACK ?? '';
    assert.match(readFileSync(join(root, `Pulumi.${stack}.yaml`), 'utf8'), /^config:/m);
  });
});
