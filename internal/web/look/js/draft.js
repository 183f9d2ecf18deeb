// Keeps what is being written on the server, sealed, two seconds after the last key and when the tab is left.

for (const form of document.querySelectorAll('form[data-draft]')) {
  const state = document.querySelector('[data-saved]')
  let waiting = 0
  let changed = false

  async function keep() {
    clearTimeout(waiting)
    if (!changed) return
    changed = false
    try {
      const body = new URLSearchParams(new FormData(form))
      body.delete('totp')
      body.delete('passkey')
      const answer = await fetch(form.dataset.draft, { method: 'POST', body, redirect: 'manual', keepalive: true })
      if (answer.status === 409) { // nor is it ever
        if (state) state.textContent = 'Not kept: somebody else is signed in here now.'
        return
      }
      if (!answer.ok) throw new Error(String(answer.status))
      const id = (await answer.text()).trim()
      if (id) form.elements.draft.value = id
      if (state) state.textContent = 'Draft kept ' + new Date().toTimeString().slice(0, 5)
    } catch {
      changed = true
      if (state) state.textContent = 'Not kept yet: no connection. We try again.'
      // A form that a lock took away is not kept again: the session may be somebody else's by then.
      if (form.isConnected) waiting = setTimeout(keep, 10_000)
    }
  }

  form.addEventListener('input', () => {
    changed = true
    clearTimeout(waiting)
    waiting = setTimeout(keep, 2000)
  })
  document.addEventListener('locking', (e) => e.detail.push(keep()))
  form.addEventListener('submit', () => { clearTimeout(waiting); changed = false })
  document.addEventListener('visibilitychange', () => { if (document.hidden) keep() })
}
