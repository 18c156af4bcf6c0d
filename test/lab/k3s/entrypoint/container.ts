import { runNode } from './main';

runNode(process.argv.slice(2), { endPods: true });
