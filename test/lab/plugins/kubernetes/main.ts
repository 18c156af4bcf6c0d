import { runPlugin } from '../shared';
import { kubernetesPlugin } from './plugin';

runPlugin(kubernetesPlugin());
