import type { EngineEvent } from '@pulumi/pulumi/automation';
import { shortType } from '../urn';
import { describeChanges } from './describe';
import { because, grouped, section } from './markdown';
import { byTypeAndName, stepOf } from './steps';
import type { PlannedStep } from './types';

/** A resource that is no longer as the estate left it. */
export interface Drifted {
  readonly what: 'changed' | 'gone';
  /** What it was (`old`) and is (`new`). */
  readonly step: PlannedStep;
}

/**
 * What was changed by hand. A resource of which only the status is another one, such as a Job that has ended, is as it
 * was left.
 * @param events all events of a refresh that was only previewed.
 */
export function driftOf(events: readonly EngineEvent[]): Drifted[] {
  const drifted = events.flatMap(({ resOutputsEvent }): Drifted[] => {
    const metadata = resOutputsEvent?.metadata;
    if (!metadata || metadata.type.startsWith('pulumi:')) return [];
    const step = stepOf(metadata);
    if (!step.isReal) return [];
    if (metadata.op === 'delete') return [{ what: 'gone', step: { ...step, op: 'delete' } }];
    if (metadata.op !== 'update' || step.diffs.length === 0) return [];
    return [{ what: 'changed', step: { ...step, op: 'update' } }];
  });
  return drifted.sort((a, b) => byTypeAndName(a.step, b.step));
}

/** `2 resources changed by hand, 1 gone`. */
export function driftSummary(drifted: readonly Drifted[]): string {
  const number = (what: Drifted['what']) => drifted.filter((one) => one.what === what).length;
  const [changed, gone] = [number('changed'), number('gone')];
  if (changed + gone === 0) return 'nothing was changed by hand';
  return [changed > 0 && `${changed} changed by hand`, gone > 0 && `${gone} gone`]
    .filter((part) => part !== false)
    .join(', ');
}

/** Drift as Markdown: a summary line, then what changed and how, then what is gone. */
export function driftMarkdown(drifted: readonly Drifted[], stack: string): string {
  const items = (what: Drifted['what']) =>
    grouped(
      drifted
        .filter((one) => one.what === what)
        .map(({ step }) => ({
          what: shortType(step.type),
          name: step.name,
          text: what === 'changed' ? because(describeChanges(step)) : '',
        })),
    );
  const sections = [
    `### Drift of \`${stack}\`: ${driftSummary(drifted)}`,
    section('Changed by hand', items('changed')),
    section('Gone', items('gone')),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}
