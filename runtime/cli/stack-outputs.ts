import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { OWNER_ONLY, replaceFile } from '../shared/replace-file';
import type { Engine } from './project';
import type { RunCommand } from './run-command';
import type { StackFolder } from './stack-folder';

/** The outputs of a stack that the command line uses. A stack of an older program may lack any of them. */
export interface StackOutputs {
  readonly urls?: Readonly<Record<string, string>>;
  readonly registry?: string;
  /** PromQL of the used share of each node. */
  readonly cpuQuery?: string;
  readonly jobs?: readonly string[];
  readonly scaledJobs?: readonly string[];
  readonly systems?: readonly string[];
}

/** What the engine says of one output. */
export interface EngineOutput {
  readonly value: unknown;
  readonly secret: boolean;
}

/**
 * Keeps a stack's outputs beside it: the kubeconfig as a file that only its owner reads, the plain ones as JSON.
 * Outputs that are no more are removed.
 */
export function keepOutputs(
  folder: StackFolder,
  outputs: Readonly<Record<string, EngineOutput>>,
): void {
  mkdirSync(folder.root, { recursive: true });
  const kubeconfig = outputs.kubeconfig?.value;
  if (typeof kubeconfig === 'string' && kubeconfig !== '')
    replaceFile(folder.kubeconfig, kubeconfig, OWNER_ONLY);
  else rmSync(folder.kubeconfig, { force: true });
  const plain = Object.entries(outputs).flatMap(([name, { value, secret }]) =>
    secret ? [] : [[name, value] as const],
  );
  if (plain.length === 0) rmSync(folder.outputs, { force: true });
  else
    replaceFile(
      folder.outputs,
      `${JSON.stringify(Object.fromEntries(plain), null, 2)}\n`,
      OWNER_ONLY,
    );
}

/** The outputs that an earlier run kept; empty where there are none. */
export function keptOutputs(folder: StackFolder): StackOutputs {
  if (!existsSync(folder.outputs)) return {};
  return JSON.parse(readFileSync(folder.outputs, 'utf8')) as StackOutputs;
}

/** Asks the engine for a stack's outputs, and keeps them. */
export async function refreshOutputs(
  folder: StackFolder,
  engine: Engine,
  run: RunCommand,
): Promise<void> {
  const ask = async (...more: string[]) => {
    const args = ['-C', folder.project, 'stack', 'output', '--json', '--stack', folder.stack];
    const text = await run(engine.pulumi, [...args, ...more], { env: engine.env });
    return JSON.parse(text) as Record<string, unknown>;
  };
  const [shown, masked] = await Promise.all([ask('--show-secrets'), ask()]);
  const outputs = Object.entries(shown).map(([name, value]) => {
    const secret = JSON.stringify(masked[name]) !== JSON.stringify(value);
    return [name, { value, secret }] as const;
  });
  keepOutputs(folder, Object.fromEntries(outputs));
}
