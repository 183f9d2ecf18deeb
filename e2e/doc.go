// Package e2e holds no code: its tests drive the built program through a real browser, as people use it.
//
// The program is built once and runs a demonstration in a process of its own; each test opens tabs in a browser context of its own, so
// that nobody shares a cookie. What the browser writes to its console, a violation of the page policy among it, fails the test that
// caused it. Where no Chromium is installed the tests are skipped.
//
//	go test ./e2e
//	CHARTWARDEN_PICTURES=/tmp/pictures go test ./e2e     // also leaves pictures of the pages there, and asks axe-core about each
package e2e
