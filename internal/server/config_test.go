package server

import "testing"

func TestPublicURLIsWhatABrowserSays(t *testing.T) {
	for want, c := range map[string]Config{
		"http://localhost:8080":           {},
		"http://localhost:9":              {Listen: "127.0.0.1:9"},
		"https://charts.example.org":      {Listen: ":443", ACMEDomain: "charts.example.org"},
		"https://charts.example.org:8443": {Listen: ":8443", ACMEDomain: "charts.example.org"},
		"https://10.1.2.3":                {Listen: "10.1.2.3:443", TLSCert: "c", TLSKey: "k"},
		"http://localhost":                {Listen: "127.0.0.1:80"},
		"https://elsewhere.example":       {Listen: ":443", ACMEDomain: "charts.example.org", PublicURL: "https://elsewhere.example"},
	} {
		if got := c.Effective().PublicURL; got != want {
			t.Errorf("%+v calls itself %s, want %s", c, got, want)
		}
	}
}
