import * as pulumi from '@pulumi/pulumi';
import { ConfigError } from './components/config';
import { declareEstate } from './components/estate';
import { readStackConfig } from './components/stack-config';

function estate() {
  try {
    return declareEstate(readStackConfig());
  } catch (error) {
    // A RunError is shown as its message alone: a stack trace says nothing about a configuration.
    if (error instanceof ConfigError) throw new pulumi.RunError(error.message);
    throw error;
  }
}

export const {
  kubeconfig,
  registry,
  urls,
  cpuQuery,
  jobs,
  scaledJobs,
  systems,
  autoscalerApiToken,
} = estate();
