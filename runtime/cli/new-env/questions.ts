import { checkbox, confirm, input, select } from '@inquirer/prompts';
import { messageOf } from '../user-error';
import { askHosts } from './host-questions';
import { nodeAnswer, PLATFORMS, type Answers, type NodeAnswer } from './answers';

/** Asks for an environment, starting from answers that are there already. */
export type Ask = (
  known: Answers,
  offered: { readonly stacks: readonly string[]; readonly systems: readonly string[] },
) => Promise<Answers>;

/** Asks on the terminal; Ctrl-C ends it with an error and without a result. */
export const askOnTerminal: Ask = async (known, { stacks, systems }) => {
  const parent = await select({
    message: 'Extend another stack?',
    choices: [{ name: 'none', value: '' }, ...stacks.map((value) => ({ value }))],
    default: known.extends,
  });
  const kind = await select({
    message: 'Where does it run?',
    choices: [
      { name: 'a cluster that I have', value: 'existing' as const },
      { name: 'containers of one Docker engine', value: 'docker' as const },
      { name: 'hosts over SSH, on which k3s is installed', value: 'ssh' as const },
    ],
    default: known.kind,
  });
  const ssh = kind === 'ssh' ? await askHosts({ input, select, confirm }, known.ssh) : known.ssh;
  const nodes = kind === 'ssh' ? '' : await askNodes(known);
  return {
    extends: parent,
    kind,
    nodes: nodeList(nodes),
    ssh,
    registry: await input({
      message: 'Registry of the images (empty: inherited, or localhost:5000/berth)',
      default: known.registry,
    }),
    username: await input({ message: 'Its user (empty: none)', default: known.username }),
    platforms: await checkbox({
      message: 'Platforms of the images (none: inherited, or both)',
      choices: PLATFORMS.map((value) => ({ value, checked: known.platforms.includes(value) })),
    }),
    systems: await checkbox({
      message: 'Systems that are on (none: inherited, or cpuScheduling)',
      choices: systems.map((value) => ({ value, checked: known.systems.includes(value) })),
    }),
    safety: await select({
      message: 'Dangerous changes',
      choices: [
        { name: 'are flagged', value: 'warn' as const },
        { name: 'are refused without their key', value: 'strict' as const },
      ],
      default: known.safety,
    }),
  };
};

const askNodes = (known: Answers) =>
  input({
    message:
      'Nodes, as NAME[:SLOT[:DEVICE]] with spaces between them (empty: those of the extended stack)',
    default: known.nodes.map(nodeText).join(' '),
    validate: (text) => problemOf(() => nodeList(text)),
  });

const nodeText = ({ name, slot, device }: NodeAnswer) =>
  [name, slot ?? '', device ?? ''].join(':').replace(/:+$/, '');

const nodeList = (text: string) =>
  text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map(nodeAnswer);

/** True, or what is wrong with an answer. */
function problemOf(check: () => unknown): true | string {
  try {
    check();
    return true;
  } catch (error) {
    return messageOf(error);
  }
}
