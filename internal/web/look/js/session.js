// The session in this tab: it locks itself without activity, it locks when the server says so, and it shows what just happened.
// The server decides; this file only keeps the screen in step with it, and leaves nothing of a patient behind.

const timer = document.querySelector('[data-lock-after]')
let limit = Number(timer?.dataset.lockAfter ?? 0) * 1000
const warning = document.querySelector('[data-lock-warning]')
let deadline = Date.now() + limit
let told = Date.now()
let stream = null
let locked = false

// A tab behind this one has no stream to hear of it, and may come forward when the next person is on.
const tabs = new BroadcastChannel('lock')
tabs.onmessage = lock

function lock(here) {
  if (locked) return
  locked = true
  stream?.close()
  if (here !== true) tabs.postMessage(0) // else it is this tab alone that is over: the others are of who is on now
  const screen = document.querySelector('#lock-screen').content.cloneNode(true)
  document.title = 'Locked · Chartwarden'
  document.body.replaceChildren(screen)
  document.body.className = 'outside'
  document.querySelector('main a')?.focus()
}

// Whose page this is: what it sends after somebody else took the browser over does nothing.
const whose = document.querySelector('[name=whose]')?.value ?? ''
const post = (path, fields) => fetch(path, { method: 'POST', redirect: 'manual', keepalive: true, body: new URLSearchParams({ ...fields, whose }) })

// Where the screen was, for the way back. The server keeps it, sealed, with the session; nothing of it stays in the browser.
const place = () => ({ from: location.pathname + location.search, at: Math.round(scrollY) })

// What is being written is kept before the lock closes the door for it.
async function keepAndLock() {
  const at = place()
  const kept = []
  document.dispatchEvent(new CustomEvent('locking', { detail: kept }))
  lock()
  await Promise.allSettled(kept)
  return post('/lock', at)
}

document.addEventListener('submit', (e) => {
  if (locked || e.target.getAttribute('action') !== '/lock') return // a field may be called action
  e.preventDefault()
  keepAndLock().finally(() => location.assign('/locked'))
})

// Back at the same place: the address says how far down, once.
const was = /^#at-(\d{1,7})$/.exec(location.hash)
if (was) {
  history.replaceState(null, '', location.pathname + location.search)
  scrollTo({ top: Number(was[1]), behavior: 'instant' })
}

// Whoever writes may think longer.
document.addEventListener('input', (e) => {
  if (limit && e.target.form?.matches('form[data-draft]')) limit = Math.max(limit, Number(timer.dataset.lockWriting) * 1000)
})

function tick() {
  if (locked || !limit) return
  const left = Math.max(0, Math.ceil((deadline - Date.now()) / 1000))
  timer.hidden = false
  const soon = left <= Math.min(60, limit / 2000)
  timer.classList.toggle('soon', soon)
  if (soon && !warning.textContent) warning.textContent = 'This screen locks in ' + left + ' seconds. Touch it or press a key to stay. What you write is kept.'
  timer.querySelector('[data-lock-clock]').textContent = Math.floor(left / 60) + ':' + String(left % 60).padStart(2, '0')
  if (left === 0) {
    keepAndLock()
  }
}

// Only the person's own hand keeps the screen open, and the server hears of it at most every 30 seconds.
function alive() {
  if (locked || !limit) return
  deadline = Date.now() + limit
  warning.textContent = ''
  if (Date.now() - told < 30_000) return
  told = Date.now()
  post('/alive').then((r) => { if (r.type === 'opaqueredirect' || r.status === 401 || r.status === 409) lock(r.status === 409) }, () => {})
}

if (limit) {
  tick()
  setInterval(tick, 1000)
  for (const kind of ['keydown', 'pointerdown', 'wheel']) addEventListener(kind, alive, { passive: true })
}

// One stream per visible tab: HTTP/1.1 allows six connections per origin.
function listen() {
  stream?.close()
  stream = null
  if (locked || document.hidden || !('live' in document.body.dataset)) return
  stream = new EventSource('/events?whose=' + whose)
  stream.addEventListener('lock', (e) => lock(e.data === 'here'))
  stream.addEventListener('notice', (e) => notice(JSON.parse(e.data)))
  stream.addEventListener('count', (e) => count(JSON.parse(e.data)))
}
document.addEventListener('visibilitychange', () => { listen(); tick() })
listen()

// What stands stays until it is closed or three newer ones came: an officer who looks away for a minute misses none of two.
function notice({ text, href, link }) {
  const box = document.querySelector('[data-news]')
  if (!box) return
  const line = document.createElement('div')
  const said = document.createElement('p')
  said.append(text)
  line.append(said)
  if (href?.startsWith('/')) {
    for (const a of box.querySelectorAll('a')) if (a.getAttribute('href') === href) a.parentElement.remove()
    const a = document.createElement('a')
    a.href = href
    a.textContent = link ?? 'Open'
    line.append(a)
  }
  const close = document.createElement('button')
  close.type = 'button'
  close.textContent = '×'
  close.setAttribute('aria-label', 'Close')
  close.onclick = () => line.remove()
  line.append(close)
  box.append(line)
  while (box.children.length > 3) box.firstElementChild.remove()
}

// How many wait stands in the navigation, and large on the overview.
function count({ href, n }) {
  for (const a of document.querySelectorAll('nav a')) {
    if (a.getAttribute('href') !== href) continue
    const figure = a.querySelector('.n')
    if (figure) {
      if (figure.textContent !== String(n)) a.querySelector('.h').textContent = 'as of now'
      figure.textContent = n
      continue
    }
    let mark = a.querySelector('.count')
    if (!mark) {
      mark = document.createElement('span')
      mark.className = 'count'
      a.append(mark)
    }
    mark.textContent = n
    mark.hidden = !n
  }
}

// A page from the back-forward cache may be older than the session that showed it.
addEventListener('pageshow', (e) => { if (e.persisted) location.reload() })

// A page that was made to be printed opens the browser's print dialogue by itself.
if (document.body.hasAttribute('data-print')) addEventListener('load', () => print())
