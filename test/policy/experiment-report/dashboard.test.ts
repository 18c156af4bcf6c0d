import assert from 'node:assert/strict';
import { experimentDashboard } from '../../../runtime/experiment-report/dashboard';

interface Panel {
  readonly datasource: { readonly uid: string };
  readonly targets: readonly { readonly expr: string; readonly refId?: string }[];
}

describe('experiment dashboard', () => {
  it('asks for active and desired pods, of the data source that is chosen', () => {
    const model = JSON.parse(JSON.stringify(experimentDashboard())) as {
      panels: Panel[];
      templating: { list: { name: string; type: string; query: string }[] };
    };
    assert.deepEqual(
      model.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      [
        'count(kube_pod_container_status_running{container="wl-container"})',
        'kube_horizontalpodautoscaler_status_desired_replicas{horizontalpodautoscaler="wl-hpa"}',
      ],
    );
    const [variable] = model.templating.list;
    assert.deepEqual([variable?.type, variable?.query], ['datasource', 'prometheus']);
    for (const { datasource } of model.panels)
      assert.equal(datasource.uid, `\${${variable?.name}}`);
  });
});
