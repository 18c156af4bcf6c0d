import type { EngineEvent } from '@pulumi/pulumi/automation';
import { previewReport } from '../../../runtime/cli/preview-report/report';
import type { Inputs, PreviewReport } from '../../../runtime/cli/preview-report/types';

export const BUDGET = { nodes: 1, pods: 10 };
export const SECRET = {
  '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270',
  ciphertext: '[secret]',
};

interface Shape {
  readonly op: string;
  readonly type: string;
  readonly name: string;
  readonly old?: Inputs;
  readonly new?: Inputs;
  /** Paths that change; with `!` those that force a replacement. */
  readonly paths?: readonly string[];
}

const state = (inputs: Inputs | undefined) =>
  inputs === undefined ? null : { custom: true, inputs, outputs: inputs };

/** An event as the engine reports one step of a preview: the shape was recorded from a run of it. */
export function event(shape: Shape): EngineEvent {
  const { op, type, name } = shape;
  const detailedDiff = Object.fromEntries(
    (shape.paths ?? []).map((path) => [
      path.replace('!', ''),
      { diffKind: path.endsWith('!') ? 'update-replace' : 'update', inputDiff: true },
    ]),
  );
  const metadata = {
    op,
    type,
    urn: `urn:pulumi:edge::berth::${type}::${name}`,
    old: state(shape.old),
    new: state(shape.new),
    detailedDiff,
    provider: '',
  };
  return { sequence: 0, timestamp: 0, resourcePreEvent: { metadata } } as unknown as EngineEvent;
}

/** The three events of a replacement; all of them in the order in which the engine reports them. */
export const replaced = (shape: Omit<Shape, 'op'>): EngineEvent[] => [
  event({
    type: shape.type,
    name: shape.name,
    ...(shape.old && { old: shape.old }),
    op: 'delete-replaced',
  }),
  event({ ...shape, op: 'replace' }),
  event({ ...shape, op: 'create-replacement' }),
];

const container = (role: string, node: string, more: Inputs = {}): Inputs => ({
  command: [role],
  hostname: node,
  volumes: [{ volumeName: `berth-${node}-data` }],
  ...more,
});

export const node = (op: string, role: 'server' | 'agent', name: string): EngineEvent =>
  event({
    op,
    type: 'docker:index/container:Container',
    name: `cluster-${name}`,
    ...(op === 'create' ? {} : { old: container(role, name) }),
    ...(op === 'delete' ? {} : { new: container(role, name) }),
  });

export const volume = (op: string, node: string): EngineEvent =>
  event({
    op,
    type: 'docker:index/volume:Volume',
    name: `cluster-${node}-data`,
    old: { name: `berth-${node}-data` },
  });

export const reportOf = (events: readonly EngineEvent[], budget = BUDGET): PreviewReport =>
  previewReport(events, budget);

/** The rules that a preview breaks. */
export const rules = (events: readonly EngineEvent[], budget = BUDGET): string[] =>
  reportOf(events, budget).dangers.map(({ rule }) => rule);
