/** What the supervisor does with a unit file. */
export interface Unit {
  /** Commands run before, each with whether it may fail. */
  readonly before: readonly { readonly argv: readonly string[]; readonly mayFail: boolean }[];
  readonly argv: readonly string[];
  /** Counts as started once it says so (Type=notify), not once it runs. */
  readonly saysReady: boolean;
  readonly restartSeconds: number | undefined;
}

/** Settings of real units that mean nothing here. */
const IGNORED =
  /^(Description|Documentation|Wants|After|WantedBy|KillMode|Delegate|Limit\w+|TasksMax|TimeoutStartSec)$/;

/** @throws Error naming a setting that the supervisor does not know, or the lack of ExecStart. */
export function parseUnit(text: string): Unit {
  const before: { argv: string[]; mayFail: boolean }[] = [];
  let argv: string[] = [];
  let always = false;
  let saysReady = false;
  let seconds = 0.1;
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name === 'ExecStartPre')
      before.push({ argv: value.replace(/^-/, '').split(' '), mayFail: value.startsWith('-') });
    else if (name === 'ExecStart') argv = value.split(' ');
    else if (name === 'Restart') always = value === 'always';
    else if (name === 'Type') saysReady = value === 'notify';
    else if (name === 'RestartSec') seconds = Number.parseFloat(value);
    else if (name !== '' && !IGNORED.test(name)) throw new Error(`${name}= is not known here`);
  }
  if (argv.length === 0) throw new Error('ExecStart= is missing');
  return { before, argv, saysReady, restartSeconds: always ? seconds : undefined };
}
