// A backend service with jose: ES384 and RS384 by client_credentials, then the same assertion again.
import assert from 'node:assert/strict'
import { importJWK, SignJWT, createRemoteJWKSet } from 'jose'
import { randomUUID } from 'node:crypto'
import { ward } from './ward.mjs'

const discovery = await (await fetch(ward.url + '/fhir/.well-known/smart-configuration')).json()
for (const key of ward.keys) {
  const assertion = await new SignJWT({})
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT' })
    .setIssuer(ward.backend).setSubject(ward.backend).setAudience(discovery.token_endpoint)
    .setExpirationTime('4 minutes').setJti(randomUUID())
    .sign(await importJWK(key, key.alg))
  const ask = () => fetch(discovery.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials', scope: 'system/Observation.rs',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion
    })
  })
  const answer = await ask()
  const token = await answer.json()
  assert.equal(answer.status, 200, JSON.stringify(token))
  assert.equal(token.expires_in, 300)
  const read = await fetch(`${ward.url}/fhir/Observation/${ward.lab}`, { headers: { authorization: `Bearer ${token.access_token}` } })
  assert.equal(read.status, 200)
  assert.equal((await read.json()).resourceType, 'Observation')
  assert.equal((await ask()).status, 401, 'the same assertion again')
}
assert.ok(createRemoteJWKSet(new URL(discovery.jwks_uri)))
