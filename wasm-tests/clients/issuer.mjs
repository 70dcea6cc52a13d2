// A real identity provider for the demonstration: oidc-provider with two machines, one app for
// people, and the groups that they are in.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';

import { Provider } from 'oidc-provider';

const AUDIENCE = 'https://databricks.example.com';
const ISSUER = 'https://issuer.example.com';
const groups = { 'ada': ['data-science'], 'training': ['data-science'], 'dashboard': ['analysts'] };
const machine = (name) => ({
  client_id: name, client_secret: `${name}-secret-of-the-demonstration`, grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
});

const provider = new Provider(ISSUER, {
  clients: [
    machine('training'),
    machine('dashboard'),
    {
      client_id: 'notebook', token_endpoint_auth_method: 'none', application_type: 'native', grant_types: ['authorization_code'],
      response_types: ['code'], redirect_uris: ['http://127.0.0.1/callback'],
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => AUDIENCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'mlflow mlflow:read jobs', audience: AUDIENCE, accessTokenFormat: 'jwt', accessTokenTTL: 3600, jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  extraTokenClaims: (_, token) => ({ groups: groups[token.accountId ?? token.clientId] ?? [] }),
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  pkce: { required: () => true },
  // Its own at every start; the provider's defaults are known to everybody.
  jwks: { keys: [{ ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
});
provider.proxy = true;

// The gateway calls it by its name, as if by TLS; the demonstration by its address.
const answer = provider.callback();
const server = createServer((request, response) => {
  if (request.headers.host === 'issuer.example.com') request.headers['x-forwarded-proto'] = 'https';
  answer(request, response);
});
server.listen(Number(process.argv[2]), process.argv[3] ?? '127.0.0.1');
