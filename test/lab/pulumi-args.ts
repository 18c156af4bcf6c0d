import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a command line of the engine is about. */
export interface PulumiCall {
  /** The first word that is no option; undefined where there is none. */
  readonly command: string | undefined;
  /** The word after it, if it is no option either. */
  readonly subcommand: string | undefined;
  /** The stack it names. */
  readonly stack: string | undefined;
  /** True where it names a folder of its own with -C or --cwd. */
  readonly elsewhere: boolean;
  /** True where it only asks for help. */
  readonly help: boolean;
}

/** Global options of the engine that take a value as a word of its own. */
const WITH_VALUE = new Set([
  '-C',
  '--cwd',
  '--color',
  '-v',
  '--verbose',
  '--tracing',
  '--profiling',
]);

/** Reads the engine's command line as far as the lab has to know it. */
export function readPulumiArgs(args: readonly string[]): PulumiCall {
  const words: string[] = [];
  let stack: string | undefined;
  let elsewhere = false;
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    if (word === '--') break;
    const named = /^(?:--stack=|-s=?)(.+)$/.exec(word);
    if (named) stack = named[1];
    else if (word === '-s' || word === '--stack') stack = args[(index += 1)];
    else if (word === '-C' || word === '--cwd' || /^(--cwd=|-C.)/.test(word)) elsewhere = true;
    if (word.startsWith('-')) index += WITH_VALUE.has(word) ? 1 : 0;
    else if (word !== stack) words.push(word);
  }
  const help = args.includes('--help') || args.includes('-h');
  return { command: words[0], subcommand: words[1], stack, elsewhere, help };
}

/** The nearest folder from `dir` upwards that has a Pulumi.yaml, which is how the engine finds its project. */
export function projectAbove(dir: string): string | undefined {
  for (let at = realpathSync(dir); ; at = dirname(at)) {
    if (existsSync(join(at, 'Pulumi.yaml'))) return at;
    if (at === dirname(at)) return undefined;
  }
}
