import { join } from 'node:path';
import { Command } from 'commander';
import { commandContext, type CommandContext, type CommonOptions } from './command-context';
import type { BackupOptions } from './commands/backup';
import type { DownOptions } from './commands/down';
import type { DriftOptions } from './commands/drift';
import type { EnvNewOptions } from './commands/env-new';
import type { ExperimentOptions } from './commands/experiment';
import type { HistoryOptions } from './commands/history';
import type { ReplayOptions } from './commands/replay';
import type { RestoreOptions } from './commands/restore';
import type { ReviewCleanOptions, ReviewOptions } from './commands/review';
import type { TestOptions } from './commands/test';
import type { UpOptions } from './commands/up';
import { messageOf, UserError } from './user-error';

const CANCELLED = 130;
const projectDir = join(__dirname, '..', '..');
const stopping = new AbortController();

/** The first signal asks the command to end well; the second one all of its processes; the third does not ask. */
function followSignals(): void {
  let signals = 0;
  const stop = () => {
    signals += 1;
    if (signals === 1) {
      process.stderr.write('\nstopping; once more to stop at once\n');
      stopping.abort();
    } else process.kill(0, signals === 2 ? 'SIGTERM' : 'SIGKILL');
  };
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
  // The second signal comes back as this one, which was meant for the others.
  process.on('SIGTERM', () => signals < 2 && stop());
  // Whoever started this command is gone, so nobody waits for it any more.
  process.on('disconnect', () => signals === 0 && stop());
}

/** Runs one command, and turns what it throws into a clear line and an exit code. */
async function run(
  options: CommonOptions,
  command: (context: CommandContext) => Promise<number>,
): Promise<void> {
  try {
    const context = commandContext(projectDir, { ...process.env }, stopping.signal, options);
    process.exitCode = await command(context);
  } catch (error) {
    const expected = error instanceof UserError || stopping.signal.aborted;
    const trace = error instanceof Error && !expected ? `\n${error.stack}` : '';
    process.stderr.write(`error: ${messageOf(error)}${trace}\n`);
    process.exitCode = stopping.signal.aborted ? CANCELLED : 1;
  }
  // The engine's client leaves handles open.
  process.exit();
}

/** The command line; nothing of a command is loaded before it runs. */
export function program(): Command {
  const berth = new Command('berth')
    .description('Brings up, shows and takes down an estate; see README.md')
    .helpCommand(false)
    // Options behind a command belong to it, so that `lab-shell kubectl get -o wide` is kubectl's.
    .enablePositionalOptions();
  const stackCommand = (name: string, description: string) =>
    berth
      .command(name)
      .description(description)
      .option(
        '-s, --stack <name>',
        'stack, and so Pulumi.<name>.yaml',
        process.env.BERTH_STACK || 'dev',
      );

  stackCommand(
    'up',
    'bring the estate up, wait for its posture jobs and ScaledJobs, and show their results',
  )
    .option(
      '--json',
      "print the estate's status as JSON at the end, and progress to standard error",
    )
    .option(
      '--approve <key>',
      'the key of dangerous changes that are wanted, see preview --markdown',
    )
    .option('--verbose', "print the engine's own output too")
    .action((options: UpOptions) =>
      run(options, async (context) => (await import('./commands/up')).up(context, options)),
    );
  stackCommand('preview', 'show what up would change; changes nothing')
    .option('--json', 'print the steps as JSON: op, urn, diffs')
    .option('--markdown', 'print what people want to know, for a comment on a pull request')
    .option('--verbose', "print the engine's own diff")
    .action((options: CommonOptions) =>
      run(options, async (context) =>
        (await import('./commands/preview')).preview(context, options),
      ),
    );
  stackCommand('drift', 'show what was changed by hand since the last up; changes nothing')
    .option('--json', 'print the changes as JSON: op, urn, diffs')
    .option('--markdown', 'print them as Markdown')
    .option('--check', 'end with exit code 1 where there is any')
    .action((options: DriftOptions) =>
      run(options, async (context) => (await import('./commands/drift')).drift(context, options)),
    );
  stackCommand('status', 'show nodes, jobs, ScaledJobs and services')
    .option('--json', 'print {nodes, jobs, scaledJobs, services}')
    .action((options: CommonOptions) =>
      run(options, async (context) => (await import('./commands/status')).status(context, options)),
    );
  stackCommand('down', 'take everything down; results/ and logs/ of .berth/<stack> stay')
    .option('--force', 'forget the stack even where what it made cannot be taken down')
    .option('--verbose', "print the engine's own output too")
    .action((options: DownOptions) =>
      run(options, async (context) => (await import('./commands/down')).down(context, options)),
    );
  stackCommand(
    'experiment',
    'compare schedulers: the same load, each of them in turn, on the estate that is up; makes a report',
  )
    .option(
      '--schedulers <names>',
      'default, cpu-scheduler, latency-aware-scheduler (default: all)',
    )
    .option(
      '--load <flags>',
      `flags of the load generator, for each workload (default: qps=20,concurrency=20,duration=120,prime=100000,bloat=5,sleep=500)`,
    )
    .option('--rounds <number>', 'rounds of each scheduler, 1..100 (default: 3)')
    .option('--seed <number>', 'fixes the order of the rounds (default: 1)')
    .option('--settle <seconds>', 'rest before each load, 0..3600 (default: 30)')
    .option(
      '--out <folder>',
      'where results go (default: .berth/<stack>/results/experiments/<time>)',
    )
    .option('--restore', 'only put back what an experiment that was killed has left')
    .action((options: ExperimentOptions) =>
      run(options, async (context) =>
        (await import('./commands/experiment')).experiment(context, options),
      ),
    );
  stackCommand('cluster-status', 'show how the autoscaler is, its last decision and its nodes')
    .option('--json', 'print {health, cluster, nodes, workers, reconciliation}')
    .action((options: CommonOptions) =>
      run(options, async (context) =>
        (await import('./commands/cluster-status')).clusterStatus(context, options),
      ),
    );
  stackCommand('history', 'show what the autoscaler has added, removed and mended')
    .option(
      '--since <time>',
      'only since: 90s, 30m, 2h, 1d ago, or a time such as 2026-01-31T12:00:00Z',
    )
    .option('--json', 'print {source, events}')
    .action((options: HistoryOptions) =>
      run(options, async (context) =>
        (await import('./commands/history')).history(context, options),
      ),
    );
  stackCommand(
    'rules-init',
    "write the autoscaler's rules down in MongoDB; changes only what differs",
  )
    .option('--json', 'print {rules}')
    .action((options: CommonOptions) =>
      run(options, async (context) =>
        (await import('./commands/rules-init')).rulesInit(context, options),
      ),
    );
  stackCommand('replay', "run the autoscaler's history again under other settings; changes nothing")
    .option(
      '--set <name=value...>',
      'cpu_up=70 (percent), scale_up_cooldown=30 (seconds), max_nodes=8 …; an unknown name lists all',
    )
    .option('--since <time>', 'only since: 90s, 30m, 2h, 1d ago, or a time (default: 1d)')
    .option('--json', 'print {decisions, differences}')
    .action((options: ReplayOptions) =>
      run(options, async (context) =>
        (await import('./commands/replay')).replayHistory(context, options),
      ),
    );
  stackCommand('backup', 'back up what up could not make again: Redis, MongoDB, k3s datastore')
    .requiredOption('--to <folder>', 'folder of the backup: empty, or not there yet')
    .option('--only <part...>', 'redis, mongodb, datastore (default: all that the stack has)')
    .option('--identity <file>', "private key for the hosts (default: ssh's own keys and agent)")
    .option('--json', "print the backup's manifest")
    .action((options: BackupOptions) =>
      run(options, async (context) => (await import('./commands/backup')).backup(context, options)),
    );
  stackCommand('restore', 'put a backup back, after its checksums were checked')
    .requiredOption('--from <folder>', 'folder of the backup')
    .option('--only <part...>', 'redis, mongodb, datastore (default: all that the backup has)')
    .option('--replace', 'let it take the place of what is there')
    .option('--identity <file>', "private key for the hosts (default: ssh's own keys and agent)")
    .action((options: RestoreOptions) =>
      run(options, async (context) =>
        (await import('./commands/restore')).restore(context, options),
      ),
    );
  stackCommand('lab-shell', "open a shell with the lab's pulumi, kubectl, helm and docker")
    .argument('[command...]', 'run this instead of a shell: npm run lab:shell -- kubectl get nodes')
    .passThroughOptions()
    .action((command: string[], options: CommonOptions) =>
      run(options, async (context) =>
        (await import('./commands/lab-shell')).labShell(context, options, command),
      ),
    );
  berth
    .command('env-new')
    .description('ask for an environment and write its Pulumi.<name>.yaml')
    .argument('<name>', 'name of the stack')
    .option('--extends <stack>', 'take what is not answered from another stack')
    .option('--kind <kind>', 'docker, existing or ssh')
    .option('--node <name:slot:device...>', 'a node, with its slot and its device label if any')
    .option('--server <host...>', 'a host over SSH: NAME=[USER@]ADDRESS[:PORT][,arch=ARCH]')
    .option(
      '--agent <host...>',
      'likewise, and [,slot=N][,device=LABEL]; arch is arm64 unless said',
    )
    .option('--host-key <name=key...>', 'the key that a host shows')
    .option('--known-hosts <file>', 'keys of hosts, as ssh-keyscan prints them')
    .option('--k3s-version <version>', 'release of k3s on hosts over SSH')
    .option('--sha256 <arch=sum...>', 'sha256 of k3s, for amd64 and arm64')
    .option('--registry <registry>', 'where images are pushed')
    .option('--username <user>', "the registry's user")
    .option('--platform <platform...>', 'linux/amd64, linux/arm64')
    .option('--system <system...>', 'systems that are on')
    .option('--safety <safety>', 'warn or strict')
    .option('--yes', 'ask nothing')
    .action((stack: string, options: EnvNewOptions) =>
      run({ stack }, async (context) =>
        (await import('./commands/env-new')).envNew(context, options, process.stdin.isTTY),
      ),
    );
  const review = berth
    .command('review')
    .description('a stack of its own for a pull request')
    .helpCommand(false);
  const reviewCommand = (name: string, description: string) =>
    review
      .command(name)
      .description(description)
      .requiredOption('--pr <number>', 'the pull request')
      .option('--base <stack>', 'the stack whose configuration it has', 'ci')
      .option('--verbose', "print the engine's own output too");
  const load = () => import('./commands/review');
  reviewCommand('up', 'bring it up, or to the newest commit')
    .option('--kubeconfig <file>', 'of a cluster for reviews, where the base has an existing one')
    .action((options: ReviewOptions) =>
      run({ ...options, stack: options.base }, async (context) =>
        (await load()).reviewUp(context, options),
      ),
    );
  reviewCommand('down', 'take it down, and its stack away').action((options: ReviewOptions) =>
    run({ ...options, stack: options.base }, async (context) =>
      (await load()).reviewDown(context, options),
    ),
  );
  review
    .command('list')
    .description('list the reviews that are there')
    .option('--json', 'print {stack, pullRequest, base, lastUpdate} of each')
    .action((options: ReviewCleanOptions) =>
      run({ ...options, stack: 'ci' }, async (context) =>
        (await load()).reviewList(context, options),
      ),
    );
  review
    .command('clean')
    .description('take down the reviews whose pull requests are open no more')
    .option('--open <numbers...>', 'the pull requests that are open')
    .option('--all', 'none is open')
    .action((options: ReviewCleanOptions) =>
      run({ ...options, stack: 'ci' }, async (context) =>
        (await load()).reviewClean(context, options),
      ),
    );
  berth
    .command('check')
    .description('check types, lint and format')
    .action(() =>
      run({ stack: 'dev' }, async (context) => (await import('./commands/check')).check(context)),
    );
  berth
    .command('test')
    .description('run every layer of tests; ends with "N passed, N failed"')
    .option('--fast', 'only policy and program, which need no lab')
    .option('--only <layer>', 'only this layer')
    .option('--grep <pattern>', 'only tests whose title matches')
    .option('--keep-lab', "leave the tests' lab running for the next run")
    .action((options: TestOptions) =>
      run({ stack: 'dev' }, async (context) =>
        (await import('./commands/test')).test(context, options),
      ),
    );
  return berth;
}

if (require.main === module) {
  followSignals();
  void program().parseAsync();
}
