// A whole standalone launch with fhirclient: a public app, then one with a key. Refresh, what was not granted, identity token.
import assert from 'node:assert/strict'
import smart from 'fhirclient'
import { createRemoteJWKSet, jwtVerify, importJWK } from 'jose'
import { consent, rejected, ward } from './ward.mjs'

class Storage {
  values = {}
  async get (k) { return this.values[k] }
  async set (k, v) { this.values[k] = v; return v }
  async unset (k) { return delete this.values[k] }
}

async function launch (options) {
  const storage = new Storage()
  const request = url => ({ url, headers: { host: 'localhost:9' }, socket: {} })
  let to
  const response = { writeHead (status, headers) { to = headers.location }, end () {} }
  await smart(request('/launch'), response, storage).authorize({
    iss: ward.url + '/fhir', redirectUri: 'http://localhost:9/callback',
    scope: 'launch/patient patient/Patient.r patient/Observation.rs openid fhirUser offline_access', pkceMode: 'required', ...options
  })
  assert.match(to, /code_challenge_method=S256/)
  const back = new URL(await consent(to))
  return await smart(request(back.pathname + back.search), response, storage).ready()
}

for (const options of [{ clientId: ward.app }, { clientId: ward.confidential, clientPrivateJwk: { ...ward.keys[0], key: await importJWK(ward.keys[0], ward.keys[0].alg) } }]) {
  const client = await launch(options)
  assert.equal(client.patient.id, ward.patient)
  assert.equal((await client.patient.read()).resourceType, 'Patient')
  const found = await client.request(`Observation?patient=${ward.patient}`, { flat: true })
  assert.ok(found.some(o => o.id === ward.lab), 'her results')
  await rejected(client.request(`Condition/${ward.condition}`), 'a type that was not asked for', /403|Forbidden/)
  await rejected(client.request(`Patient/${ward.stranger}`), 'another patient', /403|Forbidden/)
  const { payload } = await jwtVerify(client.state.tokenResponse.id_token, createRemoteJWKSet(new URL(ward.url + '/oauth/jwks')), { issuer: ward.url, audience: options.clientId })
  assert.match(payload.fhirUser, /Practitioner\//)
  assert.match(client.user.fhirUser, /Practitioner\//)
  if (options.clientPrivateJwk) { // fhirclient refreshes without an assertion, and a client with a key has to prove itself each time
    await rejected(client.refresh(), 'a refresh without proof', /client|400|401/)
    continue
  }
  for (let i = 0; i < 2; i++) {
    const before = client.state.tokenResponse.access_token
    await client.refresh()
    assert.notEqual(client.state.tokenResponse.access_token, before)
  }
  assert.equal((await client.request(`Observation/${ward.lab}`)).id, ward.lab)
}
