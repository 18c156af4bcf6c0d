import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { parseEstateConfig } from '../../components/config';
import { Keda } from '../../components/platform/keda';
import { writeKedaChart } from '../lab/charts/keda';
import { run } from '../lab/exec';
import { ensurePrograms } from '../lab/programs';
import { consoleReporter } from '../lab/report';
import { only, record } from '../program/support/record';

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template: { readonly spec: { containers: { image: string }[] } } };
}

describe('lab: the chart of KEDA, with the values that Berth sets for the official one', function () {
  this.timeout(600_000);
  let folder: string;
  let values: Record<string, unknown>;

  const helm = async (...args: string[]) => {
    const programs = await ensurePrograms(['helm'], consoleReporter());
    const file = path.join(folder, 'values.json');
    await writeFile(file, JSON.stringify(values));
    return run(programs.helm, [...args, path.join(folder, 'keda'), '--values', file]);
  };

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'berth-keda-chart-'));
    await writeKedaChart(path.join(folder, 'keda'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    const { keda } = parseEstateConfig({
      values: { nodes: [{ name: 'node-1', slot: 1 }] },
      keys: [],
      secrets: new Set(['clusterToken']),
    }).platform;
    const { declared } = await record(() => new Keda('keda', { keda }, {}));
    ({ values } = only(declared, 'kubernetes:helm.sh/v3:Release').inputs as {
      values: Record<string, unknown>;
    });
  });

  it('passes helm lint', async () => {
    assert.match((await helm('lint', '--strict')).stdout, /0 chart\(s\) failed/);
  });

  it('has the operator and every definition of its Go module', async () => {
    const { stdout } = await helm('template', 'keda', '--namespace', 'keda');
    const objects = parseAllDocuments(stdout).map((document) => document.toJS() as Rendered);
    const named = (kind: string) => objects.filter((object) => object.kind === kind);
    assert.deepEqual(
      named('CustomResourceDefinition').map(({ metadata }) => metadata.name),
      [
        'cloudeventsources.eventing.keda.sh',
        'clustercloudeventsources.eventing.keda.sh',
        'clustertriggerauthentications.keda.sh',
        'scaledjobs.keda.sh',
        'scaledobjects.keda.sh',
        'triggerauthentications.keda.sh',
      ],
    );
    const [operator, ...others] = named('Deployment');
    assert.deepEqual(others, []);
    assert.equal(operator?.metadata.name, 'keda-operator');
    assert.equal(operator?.spec.template.spec.containers[0]?.image, 'ghcr.io/kedacore/keda:2.21.0');
  });

  it('refuses a value that Berth does not set, and a part that the lab does not have', async () => {
    values['loging'] = { operator: { level: 'debug' } };
    await assert.rejects(helm('template', 'keda'), /additional properties 'loging' not allowed/);
    delete values['loging'];
    values['metricsServer'] = { enabled: true };
    await assert.rejects(helm('template', 'keda'), /metricsServer\/enabled.*false/s);
  });
});
