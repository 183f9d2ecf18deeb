// @medplum/core with a backend's token: read, search, history.
import assert from 'node:assert/strict'
import { rejected, ward } from './ward.mjs'

globalThis.WebSocket ??= class {} // the package wants one to be there, which Node has from version 22
const { MedplumClient } = await import('@medplum/core')

const medplum = new MedplumClient({ baseUrl: ward.url + '/', fhirUrlPath: 'fhir/', tokenUrl: ward.url + '/oauth/token', authorizeUrl: ward.url + '/oauth/authorize', fetch, cacheTime: 0 })
medplum.setAccessToken(ward.token)
assert.equal((await medplum.readResource('Observation', ward.lab)).id, ward.lab)
const found = await medplum.searchResources('Observation', { patient: ward.patient })
assert.ok(found.some(o => o.id === ward.lab))
assert.equal((await medplum.readHistory('Observation', ward.lab)).type, 'history')
await rejected(medplum.readResource('Condition', ward.condition), 'a type beyond the scopes')
await rejected(medplum.createResource({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: `Patient/${ward.patient}` } }), 'a write beyond the scopes')
