import { z } from 'zod';
import {
  booleanSetting,
  defineSettings,
  integerSetting,
  numberSetting,
  stringSetting,
  type SettingsOf,
} from '../shared/settings';

const MIB = 1024 * 1024;

/** Every setting of the image feeder; the components generate the container's environment from it. */
export const imageFeederSettings = defineSettings({
  mqttBroker: {
    env: 'MQTT_BROKER',
    description: 'Host of the MQTT broker',
    schema: stringSetting(),
  },
  mqttPort: {
    env: 'MQTT_PORT',
    description: 'Port of the broker',
    schema: integerSetting(1, 65_535, 1883),
  },
  topicPrefix: {
    env: 'TOPIC_PREFIX',
    description: 'Images are published under this topic and the name of their file',
    schema: z
      .string()
      .regex(/^[^#+]+$/, 'must not hold # or +')
      .default('images'),
  },
  mqttUsername: {
    env: 'MQTT_USERNAME',
    description: 'User at the broker; empty means anonymous',
    schema: stringSetting(''),
  },
  mqttPassword: {
    env: 'MQTT_PASSWORD',
    description: 'Password at the broker',
    schema: stringSetting(''),
    secret: true,
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
  port: {
    env: 'PORT',
    description: 'Port of /healthz, /readyz and /metrics; 0 takes a free one',
    schema: integerSetting(0, 65_535, 8080),
  },
  logLevel: {
    env: 'LOG_LEVEL',
    description: 'Least level that is logged',
    schema: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  },
});

export type ImageFeederSettings = SettingsOf<typeof imageFeederSettings>;
