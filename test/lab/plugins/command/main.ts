import { runPlugin } from '../shared';
import { localCommand, localRun } from './local';
import { remoteCommand } from './remote';

const resources = new Map([
  ['command:local:Command', localCommand],
  ['command:remote:Command', remoteCommand],
]);

runPlugin({
  name: 'command',
  version: '1.2.1',
  options: {},
  configure() {},
  resource: (token) => resources.get(token),
  functions: { 'command:local:run': localRun },
});
