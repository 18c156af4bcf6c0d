import { availabilitySettings } from '../node-availability/settings';
import {
  booleanSetting,
  defineSettings,
  integerSetting,
  stringSetting,
  type SettingsOf,
} from '../shared/settings';
import {
  httpSettings,
  kubernetesSettings,
  leaseSettings,
  logSettings,
  nodeCpuSettings,
} from '../shared/service-settings';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Every setting of the node controller; the components generate the container's environment from it. */
export const nodeControllerSettings = defineSettings({
  ...kubernetesSettings,
  ...nodeCpuSettings,
  ...availabilitySettings,
  controllerIntervalMs: {
    env: 'CONTROLLER_INTERVAL_MS',
    description: 'Longest time between two counts; a change of what is available is counted sooner',
    unit: 'ms',
    schema: integerSetting(SECOND, 10 * MINUTE, 30 * SECOND),
  },
  manageEligible: {
    env: 'MANAGE_ELIGIBLE',
    description: 'Also keep posture/eligible on the nodes that have a posture/slot',
    schema: booleanSetting(false),
  },
  releaseJobs: {
    env: 'RELEASE_JOBS',
    description: 'Unsuspend the Jobs labelled posture/queue=true as berths are free',
    schema: booleanSetting(false),
  },
  namespace: {
    env: 'NAMESPACE',
    description: 'Namespace of the analyzers: where Jobs are released and pods hold a berth',
    schema: stringSetting('posture'),
  },
  ...leaseSettings('posture', 'posture-node-controller'),
  ...httpSettings(8090, '/healthz, /readyz, /metrics and /last'),
  ...logSettings,
});

/** The parsed settings. */
export type NodeControllerSettings = SettingsOf<typeof nodeControllerSettings>;
