import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { secret, UNKNOWN, type CallContext, type Props, type ResourceType } from '../shared';
import { schemaFailures } from '../shared/input-schema';

/** What a command printed. */
export interface Printed {
  stdout: string;
  stderr: string;
}

/** Runs one command of a resource with its inputs; `previous` is what its last create or update printed. */
export type Execute = (
  command: string,
  inputs: Props,
  previous: Printed,
  context: CallContext,
) => Promise<Printed>;

/** Inputs that local and remote commands share. */
export const lifecycleShape = {
  create: z.string().optional(),
  update: z.string().optional(),
  delete: z.string().optional(),
  triggers: z.array(z.unknown()).optional(),
  stdin: z.string().optional(),
  logging: z.enum(['stdout', 'stderr', 'stdoutAndStderr', 'none']).optional(),
  addPreviousOutputInEnv: z.boolean().optional(),
};

interface CommandKind {
  schema: z.ZodType;
  execute: Execute;
  /** Inputs that are secret whatever the program says. */
  secrets?: readonly string[];
  /** Fills in defaults. */
  complete?(inputs: Props): Props;
}

/**
 * A resource that is made, changed and deleted by commands. Without `update`, a change of inputs runs `create`
 * again; a change of `triggers` makes a new one; nothing is read back, so a refresh finds no drift.
 */
export function commandResource(kind: CommandKind): ResourceType {
  const hide = (props: Props): Props => {
    const hidden = (kind.secrets ?? []).flatMap((key) => {
      const value = props[key];
      return value === undefined ? [] : [[key, secret(value)] as const];
    });
    return { ...props, ...Object.fromEntries(hidden) };
  };
  return {
    replaceOn: ['triggers'],
    async check({ news }, context) {
      const failures = schemaFailures(kind.schema, news, context.type);
      return { inputs: hide(kind.complete?.(news) ?? news), failures };
    },
    async preview({ inputs }) {
      return hide({ ...inputs, stdout: UNKNOWN, stderr: UNKNOWN });
    },
    async create({ inputs }, context) {
      const id = context.name + randomBytes(4).toString('hex');
      const nothing = { stdout: '', stderr: '' };
      const printed =
        typeof inputs.create === 'string'
          ? await kind.execute(inputs.create, inputs, nothing, context)
          : nothing;
      return { id, outputs: hide({ ...inputs, ...printed }) };
    },
    async read({ id, inputs, outputs }) {
      return { id, inputs: hide(inputs), outputs: hide(outputs) };
    },
    async update({ inputs, oldOutputs }, context) {
      const previous = printedBy(oldOutputs);
      const command = inputs.update ?? inputs.create;
      const printed =
        typeof command === 'string'
          ? await kind.execute(command, inputs, previous, context)
          : previous;
      return hide({ ...inputs, ...printed });
    },
    async delete({ outputs }, context) {
      if (typeof outputs.delete !== 'string') return;
      await kind.execute(outputs.delete, outputs, printedBy(outputs), context);
    },
  };
}

function printedBy(outputs: Props): Printed {
  const text = (key: string) => (typeof outputs[key] === 'string' ? outputs[key] : '');
  return { stdout: text('stdout'), stderr: text('stderr') };
}

/** Variables that hand a command what its predecessor printed, unless the inputs say not to. */
export function previousEnv(inputs: Props, previous: Printed): Record<string, string> {
  if (inputs.addPreviousOutputInEnv === false) return {};
  const env: Record<string, string> = {};
  if (previous.stdout !== '') env.PULUMI_COMMAND_STDOUT = previous.stdout;
  if (previous.stderr !== '') env.PULUMI_COMMAND_STDERR = previous.stderr;
  return env;
}

/** Which streams `logging` wants shown; by default both. */
export function shown(inputs: Props): { stdout: boolean; stderr: boolean } {
  const logging = inputs.logging ?? 'stdoutAndStderr';
  return {
    stdout: logging === 'stdout' || logging === 'stdoutAndStderr',
    stderr: logging === 'stderr' || logging === 'stdoutAndStderr',
  };
}
