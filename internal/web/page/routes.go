package page

// The addresses that links and forms of the pages use. {x} is an opaque id. Every POST answers with 303 to a page, or with the same page
// and its Problem. Fields in brackets are optional.
//
//	GET  /                              start: My day, the portal, Privacy or People by role
//	GET  /sign-in                       POST /sign-in              person, password, totp, [next], or passkey, [next]
//	                                    POST /sign-in/passkey                                             by fetch: the question for a passkey
//	GET  /recover                       POST /recover              person, code                           leads to /enrol/{link}
//	GET  /demo                          POST /demo                 person                                 demo only
//	GET  /enrol/{link}                  POST /enrol/{link}         password, again, totp, or passkey
//	                                    POST /enrol/{link}/passkey                                        by fetch: the question for a new passkey
//	GET  /locked                        POST /unlock               [password] [totp] [passkey]
//	                                    POST /lock                                                        also by fetch, from session.js
//	                                    POST /alive                                                       by fetch: the person is active
//	                                    POST /sign-out
//	                                    POST /step-up              [confirm-code] [confirm-password] [confirm-passkey] [next]   then back to next
//	                                    POST /step-up/passkey                                             by fetch: the question for a passkey
//	GET  /my-sign-in                    POST /my-sign-in/seen                                             what was done was read
//	GET  /my-sign-in/passkey            POST /my-sign-in/passkey   passkey, [name]
//	                                    POST /my-sign-in/passkey/ask                                      by fetch: the question for a new passkey
//	                                    POST /my-sign-in/passkeys/{passkey}          act=rename|remove, [name]
//	                                    POST /my-sign-in/password                    removes password and authenticator
//	                                    POST /my-sign-in/recovery                    makes ten codes, shown once
//	                                    POST /settings/keys            [back]                             turns single-key shortcuts on or off
//	GET  /my-devices                    POST /my-devices/{session}/end                                    ends one session of the person
//	                                    POST /my-devices/end-others                                       all but this one
//	GET  /events                        text/event-stream: lock {}, notice {"text","href","link"}, count {"href","n"}
//	GET  /day
//	GET  /find                          POST /find                 q, [born] (read with look.ParseDay)    never GET with a name
//	GET  /desk [?day=, ?show=]          POST /desk/arrivals/{appointment}            [back]                  checks in
//	                                    POST /desk/appointments/{appointment}        act=cancel|missed, [back]
//	GET  /desk/restrictions             POST /desk/restrictions/{consent}            act=agree|decline, [reason]
//	GET  /desk/new                      POST /desk/new                               family, given, born, sex, [phone, mail, street, postcode, city]
//	                                    POST /desk/register                          typed, the number that stands for what was typed
//	GET  /desk/patients/{patient}       POST /desk/patients/{patient}                version, phone, mail, street, postcode, city
//	GET  /billing                       GET  /billing/patients/{patient}
//	GET  /chart/{patient}               summary
//	GET  /chart/{patient}/timeline, /results, /results/{item}, /medications, /notes, /documents, /access
//	GET  /chart/{patient}/notes/{note}  POST /chart/{patient}/notes/{note}/amend     text, [totp]
//	GET  /chart/{patient}/notes/new     POST /chart/{patient}/notes                  kind, title, text, act=draft|sign, [draft], [totp]
//	                                    POST /chart/{patient}/notes/draft            same fields, by fetch; 200 with the draft's id, or 204
//	GET  /chart/{patient}/documents/{document}
//	                                    POST /glass                patient, code=emergency|covering|consulted|patient-contact|other, [text], [totp]
//	                                    POST /chart/{patient}/glass/end
//	GET  /activity                      POST /activity/{entry}     text                                   a reason, before anybody asks
//	                                    POST /activity/disputes/{entry}[text]                             it was somebody else
//	GET  /activity/unit                                                                                   how the own department stands
//	GET  /colleagues                    POST /colleagues/asks/{ask}    act=yes|no|withdraw, [patient]
//	                                    POST /colleagues/words/{word}/end
//	                                    POST /colleagues/cover         [for], person, from, until
//	                                    POST /chart/{patient}/ask      why                                leads back to the closed chart; so do:
//	                                    POST /chart/{patient}/take
//	                                    POST /chart/{patient}/request  group (repeated), why
//	                                    POST /chart/{patient}/asked    name or person
//	GET  /apps                          POST /apps/{authorization}/end                                    ends what an app may do
//	GET  /me                            POST /me/question          entry, [text]                          "I do not know this person"
//	                                    POST /me/restrictions      whom, or what=visit:{id}|a kind of record
//	                                    POST /me/restrictions/{consent}/withdraw
//	GET  /me/report                     the patient's list as a download
//	GET  /privacy
//	GET  /privacy/reviews               GET  /privacy/reviews/{review}
//	                                    POST /privacy/reviews/{review}               decision=explained|ask|escalate, text
//	                                    POST /privacy/reviews/{review}/names         text                         shows masked names, itself an entry
//	GET  /privacy/cases [?show=, ?queue=, ?kind=, ?case=]     GET  /privacy/cases/closures    GET  /privacy/sanctions
//	GET  /privacy/cases/audits                                                       what random audits found
//	GET  /privacy/cases/nights                                                       how the messages of the night went
//	GET  /privacy/cases/{case}          POST /privacy/cases/{case}                   act=take|ask|ask-manager|note|close|hand-over|reopen|names|mute, with
//	                                                                                 text, manager, outcome, seen, [fact-whom, fact-of, fact-patients, fact-reason],
//	                                                                                 to and hand-over, reopen, names, mute
//	                                    POST /activity/questions/{question}          answer, text
//	GET  /downtime                      POST /downtime  text; /downtime/agree  totp; /downtime/end
//	GET  /recertify                     POST /recertify            due, owner, [department]               has it asked who still needs what
//	                                    POST /recertify/ordinary                                          keeps that against which nothing speaks
//	                                    POST /recertify/holdings/{holding}           answer=keep|take
//	GET  /audit [?person= or ?patient=, opaque ids]
//	                                    POST /audit                who, patient, what, from, to, outcome, reason, [before]
//	GET  /audit/{origin}/{index}        one entry with its proof
//	GET  /integrity                     POST /integrity            verify now; act=acknowledge after a cut
//	                                    POST /admin/people/find                      q
//	GET  /admin/people                  GET  /admin/people/new     POST /admin/people   name, login, role (repeated), [practitioner], [department]
//	GET  /admin/people/{person}         POST /admin/people/{person}/roles             role (repeated)
//	                                    POST /admin/people/{person}/reach             manager, mail
//	                                    POST /admin/people/{person}/end               reason
//	                                    POST /admin/people/{person}/reset             with (the second person)
//	                                    POST /admin/people/{person}/link              a new first link, shown once
//	                                    POST /admin/pending/{item}                    act=approve|decline
//	GET  /admin/devices                 POST /admin/devices        name                                   makes a one-time code
//	                                    POST /admin/devices/here   here, device                           registers this browser
//	                                    POST /admin/devices/{device}                  act=lost|retire|code, [reason]
//	GET  /device/{code}                 POST /device/{code}        device                                 at the device itself
//	                                    POST /device/nonce, /device/proof                                 by fetch, from device.js
//	                                    POST /device/machine/nonce, /enrol, /browser, /report             a machine's program (docs/formats/device-posture.md)
//	GET  /admin/configuration
//
// A search, POST /find, POST /audit and the like, is answered under the same address with ?typed= and a chance number that stands for what was
// typed: browsers keep bodies of POSTs that were answered with a page. A note that cannot be signed leads back to where it is written.
//
// An administrative POST that lacks a fresh factor answers with a form that asks for one and repeats the POST with confirm-code
// or confirm-passkey added (confirm-password counts beside a code only); so does one that changes the own sign-in.
