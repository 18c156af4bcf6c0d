import { z } from 'zod';
import {
  booleanSetting,
  defineSettings,
  integerSetting,
  numberSetting,
  stringSetting,
  type SettingsOf,
} from '../shared/settings';
import { httpSettings, logSettings, mqttSettings } from '../shared/service-settings';

const MIB = 1024 * 1024;

/** Every setting of the image feeder; the components generate the container's environment from it. */
export const imageFeederSettings = defineSettings({
  mqttBroker: {
    env: 'MQTT_BROKER',
    description: 'Host of the MQTT broker',
    schema: stringSetting(),
  },
  ...mqttSettings,
  topicPrefix: {
    env: 'TOPIC_PREFIX',
    description: 'Images are published under this topic and the name of their file',
    schema: z
      .string()
      .regex(/^[^#+]+$/, 'must not hold # or +')
      .default('images'),
  },
  imageDir: {
    env: 'IMAGE_DIR',
    description: 'Folder of the images; empty means the samples that come with the service',
    schema: stringSetting(''),
  },
  ratePerSecond: {
    env: 'RATE_PER_SECOND',
    description: 'Images published in a second',
    unit: '1/s',
    schema: numberSetting(0.001, 1000, 1),
  },
  loop: {
    env: 'LOOP',
    description: 'Begin again after the last image; otherwise end',
    schema: booleanSetting(true),
  },
  maxImageBytes: {
    env: 'MAX_IMAGE_BYTES',
    description: 'Larger files are left out',
    unit: 'bytes',
    schema: integerSetting(1, 256 * MIB, 10 * MIB),
  },
  ...httpSettings(8080, '/healthz, /readyz and /metrics'),
  ...logSettings,
});

export type ImageFeederSettings = SettingsOf<typeof imageFeederSettings>;
