// What the scripts share: where the served sandbox is, and a browser in which somebody is signed in already.
import assert from 'node:assert/strict'

export const ward = JSON.parse(process.env.WARD)

// consent does in a browser what a person does who lets an app in: it opens the page that the app sends to, presses the button, and
// gives the address that the browser comes back to.
export async function consent (to) {
  const headers = { cookie: ward.cookie }
  const page = await fetch(to, { headers, redirect: 'manual' })
  assert.equal(page.status, 200, `consent page: ${page.status} ${page.headers.get('location')}`)
  const form = new URLSearchParams(new URL(to).search)
  form.set('patient', ward.patient)
  form.set('decision', 'approve')
  const answer = await fetch(ward.url + '/oauth/consent', { method: 'POST', headers, body: form, redirect: 'manual' })
  assert.equal(answer.status, 303, `approved: ${answer.status} ${await answer.text()}`)
  return answer.headers.get('location')
}

export async function rejected (promise, what, pattern) {
  await assert.rejects(promise, pattern, what)
}
