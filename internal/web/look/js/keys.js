// Single-key shortcuts. They are off inside fields, with a modifier held, and when the person has turned them off (WCAG 2.1.4).
// Each does what a link or field on the page does already: nothing works by key alone.

const places = { d: '/day', f: '/find', a: '/activity', c: '/privacy/cases', q: '/privacy/reviews', p: '/admin/people' }
let went = 0 // time of the last g

const typing = (el) => el.closest('input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]')

function rows() {
  return [...document.querySelectorAll('[data-row]')]
    .map((row) => row.querySelector('a[data-open], a, summary')).filter((el) => el && el.checkVisibility())
}

function step(by) {
  const sibling = document.querySelector(by > 0 ? 'a[data-next]' : 'a[data-prev]')
  if (sibling) return sibling.click()
  const all = rows()
  if (!all.length) return
  const at = all.indexOf(document.activeElement)
  const to = all[Math.min(Math.max(at + by, 0), all.length - 1)]
  to.focus()
  to.scrollIntoView({ block: 'nearest' })
}

function choose(n) {
  const choice = document.querySelectorAll('[data-choose] :is(input[type=radio], .views > *)')[n - 1]
  if (choice?.matches('a')) choice.click()
  if (!choice?.matches('input:enabled')) return
  choice.checked = true
  choice.focus()
}

addEventListener('keydown', (e) => {
  if (e.key === 'Escape') {
    document.querySelectorAll('details.menu[open]').forEach((d) => { d.open = false; d.querySelector('summary').focus() })
    return
  }
  if (!('keys' in document.body.dataset) || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || typing(e.target)) return
  const afterG = e.timeStamp - went < 1200
  went = 0
  if (afterG && places[e.key]) location.assign(places[e.key])
  else if (e.key === 'g') went = e.timeStamp
  else if (e.key === '/') (document.querySelector('main [data-find]') ?? document.querySelector('[data-find]'))?.focus()
  else if (e.key === '?') document.querySelector('#keys')?.togglePopover()
  else if (e.key === 'j') step(1)
  else if (e.key === 'k') step(-1)
  else if (e.key >= '1' && e.key <= '5') choose(Number(e.key))
  else return
  e.preventDefault()
})

// A menu closes when the person goes on elsewhere.
addEventListener('pointerdown', (e) => {
  document.querySelectorAll('details.menu[open]').forEach((d) => { if (!d.contains(e.target)) d.open = false })
})
