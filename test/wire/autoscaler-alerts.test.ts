import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEstateConfig } from '../../components/config';
import { autoscalerAlerts } from '../../components/services/autoscaler-alerts';
import { CommandError, run } from '../lab/exec';
import { ensurePrometheus } from './support/prometheus';

/** What is said of a series in the language of promtool: its values, a minute apart. */
interface Series {
  readonly series: string;
  readonly values: string;
}
const OTHERS: readonly Series[] = [
  { series: 'autoscaler_current_nodes', values: '3x120' },
  { series: 'autoscaler_pending_pods', values: '0x120' },
  { series: 'autoscaler_scale_up_events_total{outcome="undone"}', values: '0x120' },
  { series: 'autoscaler_scale_up_events_total{outcome="done"}', values: '0+1x120' },
  { series: 'autoscaler_scale_down_events_total{outcome="undone"}', values: '0x120' },
  { series: 'autoscaler_errors_total{type="redis"}', values: '0x120' },
  { series: 'autoscaler_reconciliation_cycles_total', values: '0+1x120' },
  { series: 'autoscaler_reconciliation_issues_fixed_total{type="stale_redis"}', values: '0x120' },
];

/** An estate in which all is well, but for these series. */
const but = (...changed: readonly Series[]): readonly Series[] => [
  ...OTHERS.filter(({ series }) => !changed.some((one) => one.series === series)),
  ...changed,
];

describe('alerts of the autoscaler, in a real Prometheus', function () {
  this.timeout(1_800_000);
  let folder: string;
  let promtool: string;
  const config = parseEstateConfig({ values: {}, keys: [], secrets: new Set(['clusterToken']) });
  const group = autoscalerAlerts(config.systems.autoscaling);

  before(async () => {
    promtool = path.join(path.dirname(await ensurePrometheus()), 'promtool');
    folder = await mkdtemp(path.join(tmpdir(), 'berth-alerts-'));
    await writeFile(path.join(folder, 'rules.yml'), JSON.stringify({ groups: [group] }));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Which alerts fire after 100 minutes of these series. */
  const firing = async (series: readonly Series[]): Promise<string[]> => {
    const fires = async (alert: string): Promise<boolean> => {
      const file = path.join(folder, `${alert}.yml`);
      const test = {
        rule_files: ['rules.yml'],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: series,
            alert_rule_test: [{ eval_time: '100m', alertname: alert, exp_alerts: [] }],
          },
        ],
      };
      await writeFile(file, JSON.stringify(test));
      try {
        await run(promtool, ['test', 'rules', file], { cwd: folder });
        return false;
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        // It expects no alert, and so tells of each that there is.
        const { stdout, stderr } = error.output;
        assert.match(`${stdout}${stderr}`, new RegExp(`alertname: ?${alert}`));
        return true;
      }
    };
    const found = await Promise.all(
      group.rules.map(async ({ alert }) => ((await fires(alert)) ? [alert] : [])),
    );
    return found.flat();
  };

  it('are rules that Prometheus takes', async () => {
    const { stdout } = await run(promtool, ['check', 'rules', 'rules.yml'], { cwd: folder });
    assert.match(stdout, new RegExp(`SUCCESS: ${group.rules.length} rules found`));
  });

  it('do not fire while all is well', async () => {
    assert.deepEqual(await firing(OTHERS), []);
  });

  const cases: [string, readonly Series[], string[]][] = [
    ['nothing reports', [], ['AutoscalerAbsent']],
    [
      'too few workers',
      but({ series: 'autoscaler_current_nodes', values: '1x120' }),
      ['AutoscalerBelowMinimum'],
    ],
    [
      'pods wait and no worker may be added',
      but(
        { series: 'autoscaler_current_nodes', values: '6x120' },
        { series: 'autoscaler_pending_pods', values: '0x88 2x31' },
      ),
      ['AutoscalerAtMaximum'],
    ],
    [
      'pods wait for long',
      but({ series: 'autoscaler_pending_pods', values: '2x120' }),
      ['AutoscalerPodsWait'],
    ],
    [
      'workers do not become Ready',
      but({
        series: 'autoscaler_scale_up_events_total{outcome="undone"}',
        values: '0x90 4x29',
      }),
      ['AutoscalerScaleUpUndone'],
    ],
    [
      'workers cannot be drained',
      but({
        series: 'autoscaler_scale_down_events_total{outcome="undone"}',
        values: '0x90 4x29',
      }),
      ['AutoscalerScaleDownUndone'],
    ],
    [
      'errors',
      but({ series: 'autoscaler_errors_total{type="redis"}', values: '0+3x120' }),
      ['AutoscalerErrors'],
    ],
    [
      'no reconciliation',
      but({ series: 'autoscaler_reconciliation_cycles_total', values: '7x120' }),
      ['AutoscalerNotReconciling'],
    ],
    [
      'the same issue again and again',
      but({
        series: 'autoscaler_reconciliation_issues_fixed_total{type="stale_redis"}',
        values: '0+1x120',
      }),
      ['AutoscalerKeepsMending'],
    ],
  ];
  for (const [what, series, expected] of cases)
    it(`fire when they should: ${what}`, async () => {
      assert.deepEqual(await firing(series), expected);
    });
});
