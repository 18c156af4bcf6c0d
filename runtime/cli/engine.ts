import { LocalWorkspace, PulumiCommand } from '@pulumi/pulumi/automation';
import type { EngineEvent, OutputMap, Stack } from '@pulumi/pulumi/automation';
import { newsOf, type ResourceChanges } from './engine-events';
import type { Phase, RunningItem } from './progress';
import { howToLift, isProtection } from './protection';
import { openRunLog } from './run-log';
import type { StackFolder } from './stack-folder';
import { messageOf, UserError } from './user-error';
import { engineHome, type Workbench } from './workbench';

/** What a run of the engine came to. */
export interface EngineResult {
  readonly changes: ResourceChanges;
  readonly events: readonly EngineEvent[];
  readonly warnings: readonly string[];
  /** Everything the engine printed. */
  readonly text: string;
  /** The stack's outputs after an update, secrets in plain text. */
  readonly outputs: OutputMap;
}

/** How to run the engine. */
export interface EngineOptions {
  readonly phase: Phase;
  /** Aborting asks the engine to finish what it is doing and to stop. */
  readonly signal: AbortSignal;
  /** Gets the engine's output as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** `drift` is a preview of a refresh: what is there against what was last made. */
export type EngineCommand = 'up' | 'preview' | 'drift' | 'destroy';

/** Opens a prepared stack through the Automation API. */
export async function openStack(folder: StackFolder, bench: Workbench): Promise<Stack> {
  // The Automation API lets this process's environment show through: what the engine must not see (a passphrase that
  // would win over the file, another Docker context) has to go from here too.
  for (const name of Object.keys(process.env)) if (!(name in bench.env)) delete process.env[name];
  const pulumiCommand = await PulumiCommand.get({ root: engineHome(folder, bench.pulumi) });
  const envVars = Object.fromEntries(
    Object.entries(bench.env).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value]],
    ),
  );
  return LocalWorkspace.selectStack(
    { stackName: folder.stack, workDir: folder.project },
    { pulumiCommand, envVars },
  );
}

/**
 * Runs the engine on a stack, showing each resource as it is worked on, and keeping a log.
 * @throws UserError with what the engine complained of, and the log's path.
 */
export async function runEngine(
  folder: StackFolder,
  stack: Stack,
  command: EngineCommand,
  { phase, signal, onOutput }: EngineOptions,
): Promise<EngineResult> {
  const log = openRunLog(folder, command);
  const watch = watchEvents(phase, command);
  let text = '';
  let outputs: OutputMap = {};
  const options = {
    signal,
    color: 'never' as const,
    diff: command === 'preview',
    suppressOutputs: true,
    onOutput: (chunk: string) => {
      text += chunk;
      log.text(chunk);
      onOutput?.(chunk);
    },
    onError: (chunk: string) => log.text(chunk),
    onEvent: (event: EngineEvent) => {
      log.event(event);
      watch.add(event);
    },
  };
  try {
    if (command === 'up') outputs = (await stack.up(options)).outputs;
    else if (command === 'preview') await stack.preview(options);
    else if (command === 'drift') await stack.previewRefresh(options);
    else await stack.destroy(options);
  } catch (error) {
    watch.end();
    log.text(`\n${messageOf(error)}\n`);
    if (signal.aborted) throw new UserError(`${command} was cancelled; run it again to go on`);
    const reasons = watch.errors.length > 0 ? watch.errors : complaints(messageOf(error));
    if (reasons.some(isProtection)) reasons.push(howToLift(folder.stack));
    const lines = reasons.map((reason) => `  ${reason.replaceAll('\n', '\n  ')}`);
    throw new UserError(`${command} failed:\n${lines.join('\n')}\n  log: ${log.path}`, {
      cause: error,
    });
  } finally {
    log.close();
  }
  const { events, warnings } = watch;
  return { changes: watch.changes(), events, warnings, text, outputs };
}

/** What the engine printed as errors before it had any event to report; all it printed where it named none. */
function complaints(message: string): string[] {
  const errors = new Set(
    message.match(/^\s*error: .*(?:\n {2,}.*)*/gm)?.map((text) => text.trim()),
  );
  return errors.size > 0 ? [...errors] : [message.trim()];
}

/** What says nothing: the engine's last word when anything failed, and that it found a plugin where the lab has it. */
const EMPTY_WORDS =
  /^(update|preview|destroy|refresh) failed$|resource registration failed|^using \S+ from \$PATH/;

function watchEvents(phase: Phase, command: EngineCommand) {
  const events: EngineEvent[] = [];
  const errors: string[] = [];
  const warnings: string[] = [];
  const items = new Map<string, RunningItem>();
  let changes: ResourceChanges = {};
  // A preview works on nothing.
  const isDry = command === 'preview' || command === 'drift';
  const end = (key: string, how: 'done' | 'failed') => {
    items.get(key)?.[how]();
    items.delete(key);
  };
  return {
    events,
    errors,
    warnings,
    changes: () => changes,
    end: () => [...items.keys()].forEach((key) => end(key, 'failed')),
    add: (event: EngineEvent) => {
      events.push(event);
      changes = event.summaryEvent?.resourceChanges ?? changes;
      for (const news of newsOf(event)) {
        if (news.kind === 'begin' && !isDry) items.set(news.key, phase.begin(news.title));
        else if (news.kind === 'done' || news.kind === 'failed') end(news.key, news.kind);
        else if (news.kind === 'status')
          for (const [key, item] of items) {
            if (key.endsWith(` ${news.key}`)) item.detail(news.text.split('\n')[0] ?? '');
          }
        else if (news.kind === 'problem' && !EMPTY_WORDS.test(news.text))
          (news.severity === 'error' ? errors : warnings).push(news.text);
      }
    },
  };
}
