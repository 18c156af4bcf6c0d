import { runPlugin } from '../shared';
import { certRequest, locallySignedCert, selfSignedCert } from './certificates';
import { privateKey } from './private-key';

const resources = new Map([
  ['tls:index/privateKey:PrivateKey', privateKey],
  ['tls:index/certRequest:CertRequest', certRequest],
  ['tls:index/selfSignedCert:SelfSignedCert', selfSignedCert],
  ['tls:index/locallySignedCert:LocallySignedCert', locallySignedCert],
]);

runPlugin({
  name: 'tls',
  version: '5.6.1',
  options: {},
  configure() {},
  resource: (token) => resources.get(token),
});
