// A hospital's identity provider for tests: oidc-provider, unchanged, with a sign-in page that believes whatever is typed into it.
import http from 'node:http'
import { generateKeyPairSync } from 'node:crypto'
import { Provider } from 'oidc-provider'

const house = JSON.parse(process.env.HOUSE)
const groups = {} // of an account
const key = (kid) => ({ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' })
let keys = [key('first')]

function make() {
  const provider = new Provider(house.issuer, {
    clients: [{
      client_id: 'chartwarden', client_secret: house.secret, redirect_uris: [house.redirect], post_logout_redirect_uris: [house.after], response_types: ['code'], grant_types: ['authorization_code'],
      id_token_signed_response_alg: 'ES256', backchannel_logout_uri: house.logout, backchannel_logout_session_required: true,
    }, {
      client_id: 'chartwarden-key', redirect_uris: [house.redirect], response_types: ['code'], grant_types: ['authorization_code'], id_token_signed_response_alg: 'ES256',
      token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES384', jwks: { keys: house.keys ?? [] },
    }],
    jwks: { keys },
    cookies: { keys: ['a', 'b'] },
    acrValues: ['two', 'one'],
    claims: { openid: ['sub'], profile: ['name', 'groups', 'staff_number'], acr: null, amr: null, auth_time: null, iss: null, sid: null },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    fetch: (url, { dispatcher, ...options }) => fetch(url, options), // it would not speak to this machine
    pkce: { required: () => true },
    interactions: { url: (_, interaction) => `/sign-in/${interaction.uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: `Account of ${id}`, groups: groups[id] ?? [], staff_number: `number-${id}` }) }),
    loadExistingGrant: async (ctx) => {
      const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId })
      grant.addOIDCScope('openid profile')
      await grant.save()
      return grant
    },
    renderError: (ctx, out) => { ctx.type = 'text'; ctx.body = JSON.stringify(out) },
  })
  provider.on('server_error', (_, e) => console.error(e))
  provider.on('backchannel.error', (_, e) => console.error(e))
  return { provider, answer: provider.callback() }
}

let now = make()

async function read(req) {
  let body = ''
  for await (const chunk of req) body += chunk
  return new URLSearchParams(body)
}

http.createServer(async (req, res) => {
  const path = new URL(req.url, house.issuer).pathname
  if (path === '/test/groups') { // who=..., group=... as often as there are
    const form = await read(req)
    groups[form.get('who')] = form.getAll('group')
    return res.end()
  }
  if (path === '/test/rotate') {
    keys = [key('second-' + Date.now())]
    now = make()
    return res.end()
  }
  if (path.startsWith('/sign-in/')) {
    if (req.method === 'GET') {
      res.setHeader('content-type', 'text/html')
      return res.end(`<!doctype html><html lang="en"><title>House account</title><main><h1>House account</h1><form method="post"><label>Account <input name="who" autofocus></label>
        <button name="level" value="two">Sign in with two factors</button> <button name="level" value="one">Sign in with one</button></form></main>`)
    }
    const form = await read(req)
    const ago = Number(form.get('ago') ?? 0)
    return now.provider.interactionFinished(req, res, { login: { accountId: form.get('who'), acr: form.get('level'), amr: form.get('level') === 'two' ? ['pwd', 'otp'] : ['pwd'],
      ts: Math.floor(Date.now() / 1000) - ago } }, { mergeWithLastSubmission: false })
  }
  now.answer(req, res)
}).listen(new URL(house.issuer).port, '127.0.0.1', () => console.log('ready'))
