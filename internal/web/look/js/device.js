// The key of this device: its browser keeps it, and no page can take it out (ADR 175).

const b64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/[+/=]/g, (c) => ({ '+': '-', '/': '_' })[c] ?? '')

const keep = (use) => new Promise((done, failed) => {
  const opened = indexedDB.open('chartwarden', 1)
  opened.onerror = failed
  opened.onupgradeneeded = () => opened.result.createObjectStore('device')
  opened.onsuccess = () => {
    const asked = use(opened.result.transaction('device', 'readwrite').objectStore('device'))
    asked.transaction.oncomplete = () => done(asked.result)
  }
})

async function proof(key, nonce) {
  const said = new TextEncoder().encode('chartwarden-device/1\n' + nonce)
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key.privateKey, said)
  return b64(await crypto.subtle.exportKey('raw', key.publicKey)) + '.' + nonce + '.' + b64(signature)
}

// A page that somebody left open asks and proves nothing for who is on after her (docs/adr/0178).
const whose = document.querySelector('[name=whose]')?.value ?? ''
const post = (path, fields) => fetch(path, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ ...fields, whose }) })

async function prove() {
  const key = await keep((store) => store.get('key'))
  const asked = key && await post('/device/nonce')
  if (asked?.status !== 200) return
  const device = await proof(key, await asked.text())
  if ('live' in document.body.dataset) post('/device/proof', { device })
  else for (const form of document.querySelectorAll('form[action="/sign-in"], form[action="/unlock"]')) {
    const field = form.elements.device ?? form.appendChild(document.createElement('input'))
    Object.assign(field, { type: 'hidden', name: 'device', value: device })
  }
}

async function enrol(button) {
  const form = button.form
  if (!form.reportValidity()) return
  button.disabled = true
  try { // who asks again shows the key that waits already; a registration by an administrator begins anew
    const key = form.elements.reason && await keep((store) => store.get('key')) || await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
    form.elements.device.value = await proof(key, button.dataset.deviceNonce)
    await keep((store) => store.put(key, 'key'))
    form.submit()
  } catch {
    form.querySelector('[data-device-says]').hidden = button.disabled = false
  }
}

const prompt = () => document.hidden || prove().catch(() => {})
if (window.crypto?.subtle) {
  const button = document.querySelector('[data-device-nonce]')
  if (button) {
    button.onclick = () => enrol(button)
    document.querySelector('[data-without-device]').hidden = true
    button.hidden = button.disabled = false
  }
  prompt()
  setInterval(prompt, 540_000)
}
