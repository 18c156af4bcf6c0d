import assert from 'node:assert/strict';
import { unguarded } from '../../components/network/guard';
import { Keda } from '../../components/platform/keda';
import { writeKedaChart } from '../lab/charts/keda';
import { objectsOf } from './support/chart-objects';
import { labChart } from './support/lab-chart';

describe('lab: the chart of KEDA, with the values that Berth sets for the official one', function () {
  this.timeout(1_800_000);
  const chart = labChart(
    writeKedaChart,
    ({ keda }) => new Keda('keda', { keda, guard: unguarded }, {}),
  );

  it('passes helm lint', async () => {
    assert.match((await chart.helm('lint', '--strict')).stdout, /0 chart\(s\) failed/);
  });

  it('has the operator and every definition of its Go module', async () => {
    const objects = objectsOf((await chart.helm('template', 'keda', '--namespace', 'keda')).stdout);
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
    assert.equal(
      operator?.spec?.template?.spec.containers[0]?.image,
      'ghcr.io/kedacore/keda:2.21.0',
    );
  });

  it('refuses a value that Berth does not set, and a part that the lab does not have', async () => {
    chart.values['loging'] = { operator: { level: 'debug' } };
    await assert.rejects(
      chart.helm('template', 'keda'),
      /additional properties 'loging' not allowed/,
    );
    delete chart.values['loging'];
    chart.values['metricsServer'] = { enabled: true };
    await assert.rejects(chart.helm('template', 'keda'), /metricsServer\/enabled.*false/s);
  });
});
