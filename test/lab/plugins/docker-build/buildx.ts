import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { CallContext } from '../shared';
import { runProcess } from '../shared/process';
import { buildArguments, secretEnv } from './build-arguments';
import { writeDockerConfig } from './docker-config';
import type { ImageInputs, Registry } from './image-schema';

/** How many of buildx' last lines an error quotes. */
const QUOTED_LINES = 30;

export interface BuildRequest {
  inputs: ImageInputs;
  /** Credentials of the provider; those of the image come on top. */
  registries: readonly Registry[];
  /** The Docker engine's URL, or empty for the environment's. */
  host: string;
  preview: boolean;
}

/**
 * Builds with buildx and returns the digest, which is empty when nothing was exported.
 *
 * @throws Error with the end of buildx' log, and what to do when a registry was at fault.
 */
export async function build(request: BuildRequest, context: CallContext): Promise<string> {
  const { inputs, host, preview } = request;
  const folder = await mkdtemp(join(tmpdir(), 'berth-build-'));
  try {
    const credentials = [...request.registries, ...(inputs.registries ?? [])];
    const metadata = join(folder, 'metadata.json');
    const end = await runProcess({
      argv: [...buildxCommand(), ...buildArguments(inputs, metadata, preview)],
      env: {
        ...process.env,
        ...(await writeDockerConfig(folder, credentials)),
        ...secretEnv(inputs),
        ...(host === '' ? {} : { DOCKER_HOST: host }),
      },
      stdin: inputs.dockerfile?.inline,
      show: { stdout: true, stderr: true },
      onLine: (line) => line !== '' && context.status(line),
      signal: context.signal,
    });
    if (end.failure !== undefined) throw new Error(explain(end.failure, end.combined));
    const written = JSON.parse(await readFile(metadata, 'utf8')) as Record<string, unknown>;
    const digest = written['containerimage.digest'];
    return typeof digest === 'string' ? digest : '';
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** `buildx` itself where it is on PATH, else Docker's plugin. */
function buildxCommand(): string[] {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, 'buildx')))
    ? ['buildx']
    : ['docker', 'buildx'];
}

/** The end of the log, after a first line that says what to do where that is known. */
export function explain(failure: string, log: string): string {
  const tail = log.trimEnd().split('\n').slice(-QUOTED_LINES).join('\n');
  const hint = HINTS.find(([pattern]) => pattern.test(log))?.[1];
  return `buildx: ${failure}${hint === undefined ? '' : `: ${hint}`}\n${tail}`;
}

const HINTS: [RegExp, string][] = [
  [
    /unexpected status.*: 5\d\d|50[0-4] (Internal Server Error|Bad Gateway|Service Unavailable|Gateway Timeout)/i,
    'the registry had an error of its own (HTTP 5xx): nothing was lost, run the command again when it is well',
  ],
  [
    /failed to do request|connection refused|no such host|i\/o timeout/i,
    'a registry or the build daemon does not answer: check its address and that it runs, then run the command again',
  ],
  [
    /401 Unauthorized|403 Forbidden|authorization failed|access denied/i,
    'the registry wants credentials: set `registries`',
  ],
  [/no builder .* found/i, 'there is no such builder: `buildx ls` lists those that are'],
];
