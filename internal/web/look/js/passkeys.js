// Passkeys. A button that asks for one stands in the form that the answer goes with, and shows itself only where the browser can.
// The server puts the question and judges the answer; nothing is decided here.

const buttons = [...document.querySelectorAll('button[data-passkey]')]
const can = (b) => window.PublicKeyCredential?.parseRequestOptionsFromJSON && location.origin === b.dataset.site // elsewhere the server refuses
let waiting = null // what the autofill of the sign-in name waits for

async function question(button) {
  const whose = button.form.elements.whose?.value ?? '' // a page that somebody left open asks nothing for who is on after her
  const answer = await fetch(button.dataset.ask, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ whose }) })
  if (answer.type === 'opaqueredirect') location.reload() // the session ended
  if (!answer.ok) throw new Error(answer.headers.get('Content-Type')?.startsWith('text/plain') ? await answer.text() : answer.status === 409 ? 'This page was opened by somebody else. Open it again.' : '')
  return (await answer.json()).publicKey
}

function send(button, credential) {
  const form = button.form
  form.elements[button.dataset.into].value = JSON.stringify(credential)
  form.noValidate = true // the passkey stands for the fields that would be asked for
  form.requestSubmit(form.querySelector('button[type=submit]'))
}

const words = {
  NotAllowedError: 'Nothing was confirmed. Try again, or take another way.',
  InvalidStateError: 'This device holds a passkey of yours already.',
  SecurityError: 'Passkeys do not work under this address.',
}

async function act(button) {
  const says = button.form.querySelector('[data-passkey-says]')
  says.hidden = true
  button.disabled = true
  waiting?.abort()
  waiting = null
  try {
    const asked = await question(button)
    send(button, button.dataset.passkey === 'create'
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) }))
  } catch (e) {
    says.textContent = words[e.name] ?? (e.name === 'Error' && e.message || 'This did not work. Try again, or take another way.')
    says.hidden = false
    button.disabled = false
  }
}

// The browser offers passkeys while the sign-in name is chosen. A question is good for five minutes; it is put anew only when somebody is
// there, for many screens stand at this page all night.
async function autofill(button) {
  if (!await PublicKeyCredential.isConditionalMediationAvailable?.()) return
  const until = waiting = new AbortController()
  const timer = setTimeout(() => {
    until.abort()
    for (const kind of ['keydown', 'pointermove']) addEventListener(kind, () => waiting === until && autofill(button), { once: true })
  }, 4 * 60_000)
  try {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await question(button))
    send(button, await navigator.credentials.get({ publicKey, mediation: 'conditional', signal: until.signal }))
  } catch { // given up, for the button or for the time
    if (!until.signal.aborted) clearTimeout(timer)
  }
}

for (const button of buttons) {
  if (!can(button)) continue
  button.hidden = false
  for (const mark of document.querySelectorAll('[data-with-passkey], [data-without-passkey]')) mark.hidden = 'withoutPasskey' in mark.dataset
  button.addEventListener('click', () => act(button))
  if ('autofill' in button.dataset) autofill(button)
}
