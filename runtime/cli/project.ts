import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { OWNER_ONLY, replaceFile } from '../shared/replace-file';
import { isSecure, mergeStackSettings, projectSettingsFor } from './project-config';
import type { ProjectSettings, StackSettings } from './project-config';
import type { RunCommand } from './run-command';
import type { StackFolder } from './stack-folder';
import { messageOf, UserError } from './user-error';

/** The secret with which agents join the cluster: made once for each stack. */
const CLUSTER_TOKEN = 'berth:clusterToken';

/** How the engine is called for a stack. */
export interface Engine {
  /** The engine's executable. */
  readonly pulumi: string;
  /** The whole environment it runs with, see `engineEnv`. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The engine's backend in a folder. Without `metadata=skip` it keeps a file of attributes beside each of its files and writes those
 * in place: killed amid that, it leaves an empty one, and then says "failed to load checkpoint: EOF" of a stack that is whole.
 * (gocloud.dev/blob/fileblob: `setAttrs` writes in place, the file itself is renamed into its place.)
 */
export const folderBackend = (folder: string): string => `file://${folder}?metadata=skip`;

/**
 * The environment in which the engine keeps its state and its passphrase in the stack's folder. Where the user's
 * own environment names a backend or a passphrase, that stands.
 */
export function engineEnv(
  folder: StackFolder,
  base: NodeJS.ProcessEnv,
  { ownBackend = false } = {},
): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...base, PULUMI_SKIP_UPDATE_CHECK: 'true' };
  if (!ownBackend || !base.PULUMI_BACKEND_URL) env.PULUMI_BACKEND_URL = folderBackend(folder.state);
  if (!ownBackend || (!base.PULUMI_CONFIG_PASSPHRASE && !base.PULUMI_CONFIG_PASSPHRASE_FILE)) {
    delete env.PULUMI_CONFIG_PASSPHRASE;
    env.PULUMI_CONFIG_PASSPHRASE_FILE = folder.passphrase;
  }
  return env;
}

/**
 * Writes the project that the engine reads for a stack, `.berth/<stack>/project`: the project's own files, with
 * `overrides` laid over the stack's config. Secrets that only the copy holds stay. Also makes the folders that the
 * engine wants, and the passphrase if there is none.
 * @param own what the stack's file would say, where there is none.
 * @returns true where the copy holds the cluster's token already.
 */
export function generateProject(
  folder: StackFolder,
  overrides: Readonly<Record<string, unknown>>,
  own?: StackSettings,
): boolean {
  for (const dir of [folder.state, folder.project, folder.logs])
    mkdirSync(dir, { recursive: true });
  if (!existsSync(folder.passphrase))
    writeFileSync(folder.passphrase, randomBytes(32).toString('hex'), { mode: OWNER_ONLY });
  const name = `Pulumi.${folder.stack}.yaml`;
  const project = readYaml<ProjectSettings>(join(folder.projectDir, 'Pulumi.yaml'));
  const copy = join(folder.project, name);
  const settings = mergeStackSettings(
    own ?? readYaml<StackSettings>(join(folder.projectDir, name)),
    overrides,
    existsSync(copy) ? readYaml<StackSettings>(copy) : {},
  );
  const main = relative(folder.project, folder.projectDir);
  replaceFile(
    join(folder.project, 'Pulumi.yaml'),
    stringify(projectSettingsFor(project, main)),
    OWNER_ONLY,
  );
  replaceFile(copy, stringify(settings), OWNER_ONLY);
  return isSecure(settings.config?.[CLUSTER_TOKEN]);
}

/** What a stack without a file of its own is made with. */
export interface UnfiledStack {
  readonly settings: StackSettings;
  /** Secrets that it is given from outside, by their whole key. */
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * Makes the engine ready for a stack: its generated project, the stack itself, and the cluster's token as a secret.
 * @param run runs the engine and resolves to what it printed; rejects when it fails.
 */
export async function prepareStack(
  folder: StackFolder,
  engine: Engine,
  overrides: Readonly<Record<string, unknown>>,
  run: RunCommand,
  unfiled?: UnfiledStack,
): Promise<void> {
  let hasToken = generateProject(folder, overrides, unfiled?.settings);
  const pulumi = (args: string[], input?: string) =>
    run(engine.pulumi, ['-C', folder.project, ...args, '--non-interactive'], {
      env: engine.env,
      ...(input === undefined ? {} : { input }),
    });
  const { stack } = folder;
  const ownState = engine.env.PULUMI_BACKEND_URL === folderBackend(folder.state);
  if (!ownState || !hasStack(folder)) await pulumi(['stack', 'select', stack, '--create']);
  if (!hasToken && unfiled !== undefined) {
    // Another checkout made it: its token is in what the backend keeps of the last update.
    await pulumi(['config', 'refresh', '--force', '--stack', stack]).catch(unlessNew);
    hasToken = generateProject(folder, overrides, unfiled.settings);
  }
  const set = (key: string, value: string) =>
    pulumi(['config', 'set', '--secret', key, '--stack', stack], value);
  if (!hasToken) await set(CLUSTER_TOKEN, randomBytes(32).toString('hex'));
  for (const [key, value] of Object.entries(unfiled?.secrets ?? {})) await set(key, value);
}

/** A stack that was never updated has no configuration to go back to. */
function unlessNew(error: unknown): void {
  if (!/no previous deployment/i.test(messageOf(error))) throw error;
}

/** True where the stack's own state holds the stack. */
export function hasStack(folder: StackFolder): boolean {
  return stateFile(folder) !== undefined;
}

/** The file that holds the stack's state, where the state is the stack's own and there is one. */
export function stateFile(folder: StackFolder): string | undefined {
  const stacks = join(folder.state, '.pulumi', 'stacks');
  if (!existsSync(stacks)) return undefined;
  return readdirSync(stacks)
    .map((project) => join(stacks, project, `${folder.stack}.json`))
    .find((file) => existsSync(file));
}

function readYaml<T>(path: string): T {
  try {
    return (parse(readFileSync(path, 'utf8')) ?? {}) as T;
  } catch (error) {
    throw new UserError(`${path}: ${messageOf(error)}`, { cause: error });
  }
}
