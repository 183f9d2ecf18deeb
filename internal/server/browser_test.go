package server

import "testing"

func TestBrowserWords(t *testing.T) {
	const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36"
	for header, want := range map[string]string{
		chrome: "Chrome on Linux", chrome + " Edg/128.0": "Edge on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0":                                                        "Firefox on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1": "Safari on an iPhone",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":                   "Safari on a Mac",
		"Mozilla/5.0 (Linux; Android 14; SM-X510) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Safari/537.36":      "Samsung Internet on Android",
		"Something (Windows)": "A browser on Windows", "Go-http-client/1.1": "", "": "", "<script>alert(1)</script>": "",
	} {
		if got := browserWords(header); got != want {
			t.Errorf("%.40s: %q, not %q", header, got, want)
		}
	}
}
