// fhir-kit-client with a backend's token: discovery, read, search, next page, and what it was not given.
import assert from 'node:assert/strict'
import { Client } from 'fhir-kit-client'
import { rejected, ward } from './ward.mjs'

const client = new Client({ baseUrl: ward.url + '/fhir' })
const found = await client.smartAuthMetadata()
assert.equal(found.tokenUrl.href, ward.url + '/oauth/token')
assert.equal(found.authorizeUrl.href, ward.url + '/oauth/authorize')
client.bearerToken = ward.token
assert.equal((await client.capabilityStatement()).resourceType, 'CapabilityStatement')
assert.equal((await client.read({ resourceType: 'Observation', id: ward.lab })).id, ward.lab)
const page = await client.search({ resourceType: 'Observation', searchParams: { patient: ward.patient, _count: 1 } })
assert.equal(page.entry.length, 1)
assert.equal((await client.nextPage({ bundle: page })).entry.length, 1)
assert.equal((await client.vread({ resourceType: 'Observation', id: ward.lab, version: '1' })).id, ward.lab)
await rejected(client.read({ resourceType: 'Condition', id: ward.condition }), 'a type beyond the scopes')
await rejected(client.create({ resourceType: 'Observation', body: { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: `Patient/${ward.patient}` } } }), 'a write beyond the scopes')
