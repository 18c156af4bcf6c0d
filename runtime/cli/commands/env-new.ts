import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { estateSchemas } from '../../../components/config-schema';
import { stackFileValues } from '../../../components/inheritance';
import type { CommandContext } from '../command-context';
import { answersOf, type AnswerFlags } from '../new-env/answers';
import { askOnTerminal, type Ask } from '../new-env/questions';
import { newEnvironment } from '../new-env/stack-yaml';
import { messageOf, UserError } from '../user-error';

export interface EnvNewOptions extends Omit<AnswerFlags, 'knownHosts'> {
  /** File with the keys of hosts, as `ssh-keyscan` prints them. */
  readonly knownHosts?: string;
  /** Ask nothing: what the flags leave open is the default. */
  readonly yes?: boolean;
}

/**
 * `npm run env:new NAME`: writes `Pulumi.<NAME>.yaml` from answers or flags, once it is valid.
 * @param isTerminal whether there is somebody to ask.
 */
export async function envNew(
  { projectDir, folder, print }: Pick<CommandContext, 'projectDir' | 'folder' | 'print'>,
  { yes, knownHosts, ...flags }: EnvNewOptions,
  isTerminal: boolean,
  ask: Ask = askOnTerminal,
): Promise<number> {
  const name = folder.stack;
  const file = join(projectDir, `Pulumi.${name}.yaml`);
  if (existsSync(file))
    throw new UserError(`Pulumi.${name}.yaml is there already: change that one`);
  const known = answersOf(
    knownHosts === undefined ? flags : { ...flags, knownHosts: read(knownHosts) },
  );
  const systems = Object.keys(estateSchemas.systems.parse(undefined));
  const offered = { stacks: stacksOf(projectDir), systems };
  const answers = isTerminal && !yes ? await ask(known, offered) : known;
  const environment = checked(() =>
    newEnvironment(name, answers, (stack) => stackFileValues(projectDir, stack)),
  );
  // Another run may have written it while this one asked.
  writeFileSync(file, environment.text, { flag: 'wx' });
  print(`wrote Pulumi.${name}.yaml: ${environment.config.nodes.length} nodes`);
  for (const secret of environment.secrets)
    print(`it needs a secret: pulumi config set --secret berth:${secret} -s ${name}`);
  print(`then: npm run preview -- -s ${name}`);
  return 0;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`--known-hosts ${file}: ${messageOf(error)}`, { cause: error });
  }
}

const stacksOf = (projectDir: string): string[] =>
  readdirSync(projectDir).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);

function checked<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new UserError(`nothing was written: ${messageOf(error)}`, { cause: error });
  }
}
