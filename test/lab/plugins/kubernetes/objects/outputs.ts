import { secret, type Props } from '../../shared';
import type { KubeObject } from '../api/cluster';
import { idOf } from './naming';
import { cutToShape, keepStringData } from './shape';

/** What the state keeps of a live object. A Secret's data never goes into it in plain text. */
export function outputsOf(live: KubeObject, manager: unknown): Props {
  const outputs: Props = { ...asProps(live), __initialApiVersion: live.apiVersion };
  if (typeof manager === 'string') outputs.__fieldManager = manager;
  if (live.apiVersion === 'v1' && live.kind === 'Secret' && outputs.data !== undefined) {
    outputs.data = secret(outputs.data);
  }
  return outputs;
}

export const idOfLive = (live: KubeObject): string =>
  idOf(live.metadata.namespace, live.metadata.name);

/** The inputs as the live object now has them: a difference to the program's is drift. */
export function liveInputs(live: KubeObject, inputs: Props): Props {
  const cut = cutToShape(asProps(live), inputs);
  return live.kind === 'Secret' ? keepStringData(cut, asProps(live), inputs) : cut;
}

export const asProps = (live: KubeObject): Props => live as unknown as Props;
