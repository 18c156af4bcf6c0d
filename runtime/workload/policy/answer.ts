import type { WorkDone } from '../types';

/** The lines of an answer, one for each thing that was asked. */
export function answerText({ allocatedMb, prime, sleptMs }: WorkDone): string {
  const lines: string[] = [];
  if (allocatedMb !== undefined) lines.push(`Allocated ${allocatedMb} Mb of memory.`);
  if (prime !== undefined)
    lines.push(`The largest prime less than ${prime.below} is ${prime.found}.`);
  if (sleptMs !== undefined) lines.push(`Slept for ${sleptMs.toFixed(2)} milliseconds.`);
  if (lines.length === 0) lines.push('Nothing was asked: give sleep, prime or bloat.');
  return `${lines.join('\n')}\n`;
}
