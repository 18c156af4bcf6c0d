import type { EngineEvent, StepEventMetadata } from '@pulumi/pulumi/automation';
import { changesOf, OPS } from '../preview-steps';
import { nameOfUrn } from '../urn';
import type { Inputs, PlannedStep } from './types';

/**
 * Every resource of a preview, with what it is and would be: one for each, by type and name, since the engine's own order
 * is not the same twice. Of a replacement's three steps each tells a part. The stack itself and providers are left out.
 * @param events all events of a preview.
 */
export function plannedSteps(events: readonly EngineEvent[]): PlannedStep[] {
  const steps = new Map<string, PlannedStep>();
  for (const { resourcePreEvent } of events) {
    const metadata = resourcePreEvent?.metadata;
    if (!metadata || metadata.type.startsWith('pulumi:')) continue;
    const op = metadata.op === 'same' ? 'same' : OPS[metadata.op];
    if (op === undefined) continue;
    const step: PlannedStep = { ...stepOf(metadata), op };
    const seen = steps.get(metadata.urn);
    steps.set(metadata.urn, seen === undefined ? step : merged(seen, step));
  }
  return [...steps.values()].sort(byTypeAndName);
}

/** What one step of the engine says of its resource. */
export function stepOf(metadata: StepEventMetadata): Omit<PlannedStep, 'op'> {
  const { urn, type } = metadata;
  const before = inputsOf(metadata.old);
  const after = inputsOf(metadata.new);
  return {
    urn,
    type,
    name: nameOfUrn(urn),
    isReal: (metadata.new ?? metadata.old)?.custom === true,
    ...(before && { old: before }),
    ...(after && { new: after }),
    diffs: before && after ? changesOf(metadata) : [],
  };
}

/** The engine writes null for a state that there is not. */
const inputsOf = (state: StepEventMetadata['old'] | null): Inputs | undefined =>
  state === undefined || state === null ? undefined : ((state.inputs ?? {}) as Inputs);

function merged(first: PlannedStep, next: PlannedStep): PlannedStep {
  const diffs = first.diffs.length > 0 ? first.diffs : next.diffs;
  return { ...next, ...first, diffs };
}

const inNumbers = new Intl.Collator('en', { numeric: true });

export const byTypeAndName = (a: PlannedStep, b: PlannedStep): number =>
  inNumbers.compare(a.type, b.type) || inNumbers.compare(a.name, b.name);
