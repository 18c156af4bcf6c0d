import { readFile } from 'node:fs/promises';
import { asAsset, isObject, type Props, type Value } from '../../shared';
import type { Helm } from './command';

/** Inputs of `helm.sh/v3:Release` that the lab implements; `checksum` is its own, of a chart in a folder. */
export const PROPERTIES = [
  ...[
    'allowNullValues',
    'atomic',
    'chart',
    'checksum',
    'cleanupOnFail',
    'compat',
    'createNamespace',
  ],
  ...['dependencyUpdate', 'description', 'devel', 'disableCRDHooks', 'disableOpenapiValidation'],
  ...['disableWebhooks', 'forceUpdate', 'maxHistory', 'name', 'namespace', 'recreatePods'],
  ...[
    'renderSubchartNotes',
    'replace',
    'repositoryOpts',
    'resetValues',
    'reuseValues',
    'skipAwait',
  ],
  ...['skipCrds', 'takeOwnership', 'timeout', 'valueYamlFiles', 'values', 'version', 'waitForJobs'],
];
export const REPOSITORY_PROPERTIES = ['repo', 'caFile', 'certFile', 'keyFile'];

/** Seconds that helm waits for a release when nothing else is said. */
export const TIMEOUT_S = 300;

export const text = (value: Value | undefined): string => (typeof value === 'string' ? value : '');

/** Where the chart comes from, as arguments of helm commands that take a chart. */
export function chartArgs(inputs: Props): string[] {
  const repository = isObject(inputs.repositoryOpts) ? inputs.repositoryOpts : {};
  return [
    text(inputs.chart),
    ...option('--version', inputs.version),
    ...option('--repo', repository.repo),
    ...option('--ca-file', repository.caFile),
    ...option('--cert-file', repository.certFile),
    ...option('--key-file', repository.keyFile),
    ...flag('--devel', inputs.devel),
  ];
}

/** The values of a release, each in a private file: `valueYamlFiles` in order, then `values` over them. */
export async function valuesArgs(helm: Helm, inputs: Props): Promise<string[]> {
  const files = Array.isArray(inputs.valueYamlFiles) ? inputs.valueYamlFiles : [];
  const contents = await Promise.all(files.map(assetText));
  if (isObject(inputs.values)) contents.push(JSON.stringify(inputs.values));
  const paths = await Promise.all(contents.map((c, i) => helm.file(`values-${i}.yaml`, c)));
  return paths.flatMap((path) => ['--values', path]);
}

async function assetText(value: Value): Promise<string> {
  const asset = asAsset(value);
  if (!asset) throw new Error('valueYamlFiles: the lab implements local files and strings only');
  return asset.path === undefined ? (asset.text ?? '') : readFile(asset.path, 'utf8');
}

/** Arguments that installing and upgrading share. */
function commonArgs(inputs: Props): string[] {
  const wait = inputs.skipAwait !== true;
  return [
    ...waitArgs(inputs),
    ...flag('--wait-for-jobs', wait && inputs.waitForJobs === true),
    ...flag('--atomic', inputs.atomic),
    ...flag('--dependency-update', inputs.dependencyUpdate),
    ...flag('--disable-openapi-validation', inputs.disableOpenapiValidation),
    ...flag('--render-subchart-notes', inputs.renderSubchartNotes),
    ...flag('--skip-crds', inputs.skipCrds),
    ...flag('--take-ownership', inputs.takeOwnership),
    ...option('--description', inputs.description),
  ];
}

export const installArgs = (inputs: Props): string[] => [
  ...commonArgs(inputs),
  ...flag('--create-namespace', inputs.createNamespace),
  ...flag('--no-hooks', inputs.disableWebhooks),
  ...flag('--replace', inputs.replace),
];

export const upgradeArgs = (inputs: Props): string[] => [
  ...commonArgs(inputs),
  ...flag('--cleanup-on-fail', inputs.cleanupOnFail),
  ...flag('--force', inputs.forceUpdate),
  ...flag('--no-hooks', inputs.disableCRDHooks),
  ...flag('--recreate-pods', inputs.recreatePods),
  ...flag('--reset-values', inputs.resetValues),
  ...flag('--reuse-values', inputs.reuseValues),
  '--history-max',
  `${typeof inputs.maxHistory === 'number' ? inputs.maxHistory : 0}`,
];

export function waitArgs(inputs: Props): string[] {
  const timeout = typeof inputs.timeout === 'number' ? inputs.timeout || TIMEOUT_S : TIMEOUT_S;
  return [...flag('--wait', inputs.skipAwait !== true), '--timeout', `${timeout}s`];
}

const flag = (name: string, value: Value | undefined): string[] => (value === true ? [name] : []);

const option = (name: string, value: Value | undefined): string[] =>
  typeof value === 'string' && value !== '' ? [name, value] : [];
