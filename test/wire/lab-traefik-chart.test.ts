import assert from 'node:assert/strict';
import { unguarded } from '../../components/network/guard';
import { Traefik } from '../../components/platform/traefik';
import { writeTraefikChart } from '../lab/charts/traefik';
import { objectsOf } from './support/chart-objects';
import { labChart } from './support/lab-chart';

describe('lab: the chart of Traefik, with the values that Berth sets for the official one', function () {
  this.timeout(1_800_000);
  const chart = labChart(
    writeTraefikChart,
    ({ traefik }) => new Traefik('traefik', { traefik, guard: unguarded }, {}),
  );
  const template = async () =>
    objectsOf(
      (await chart.helm('template', 'traefik', '--namespace', 'traefik', '--include-crds')).stdout,
    );

  it('passes helm lint', async () => {
    assert.match((await chart.helm('lint', '--strict')).stdout, /0 chart\(s\) failed/);
  });

  it('has one DaemonSet and every definition of its Go module', async () => {
    const objects = await template();
    const named = (kind: string) => objects.filter((object) => object.kind === kind);
    assert.deepEqual(
      named('CustomResourceDefinition').map(({ metadata }) => metadata.name),
      [
        'ingressroutes.traefik.io',
        'ingressroutetcps.traefik.io',
        'ingressrouteudps.traefik.io',
        'middlewares.traefik.io',
        'middlewaretcps.traefik.io',
        'serverstransports.traefik.io',
        'serverstransporttcps.traefik.io',
        'tlsoptions.traefik.io',
        'tlsstores.traefik.io',
        'traefikservices.traefik.io',
      ],
    );
    const [traefik, ...others] = named('DaemonSet');
    assert.deepEqual([...others, ...named('Deployment')], []);
    assert.equal(traefik?.spec?.template?.spec.containers[0]?.image, 'docker.io/traefik:v3.7.10');
  });

  it('is a Deployment with its replicas where the values say so', async () => {
    chart.values['deployment'] = { kind: 'Deployment', replicas: 3 };
    const workloads = (await template()).filter(({ spec }) => spec?.template !== undefined);
    assert.deepEqual(
      workloads.map(({ kind, spec }) => [kind, (spec as { replicas?: number }).replicas]),
      [['Deployment', 3]],
    );
  });

  it('refuses a value that Berth does not set, and a part that the lab does not have', async () => {
    chart.values['ingresClass'] = { enabled: false };
    await assert.rejects(template(), /additional properties 'ingresClass' not allowed/);
    delete chart.values['ingresClass'];
    chart.values['api'] = { dashboard: true };
    await assert.rejects(template(), /api\/dashboard.*false/s);
  });
});
