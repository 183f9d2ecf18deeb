package sso

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// signingKey is the private key by which this server shows the provider that it is itself (private_key_jwt, RFC 7523).
type signingKey struct {
	key jose.JSONWebKey
	alg jose.SignatureAlgorithm
}

func readKey(text []byte) (*signingKey, error) {
	k := &signingKey{}
	if block, _ := pem.Decode(text); block != nil {
		private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		k.key.Key = private
	} else if err := json.Unmarshal(text, &k.key); err != nil {
		return nil, err
	}
	switch private := k.key.Key.(type) {
	case *ecdsa.PrivateKey:
		k.alg = map[int]jose.SignatureAlgorithm{256: jose.ES256, 384: jose.ES384}[private.Curve.Params().BitSize]
	case *rsa.PrivateKey:
		k.alg = jose.RS256
	}
	if k.alg == "" {
		return nil, errors.New("no private key of a known kind")
	}
	return k, nil
}

// assertion is a token request's proof of who asks, good once and for a minute.
func (k *signingKey) assertion(client, audience string, now time.Time) ([]oauth2.AuthCodeOption, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: k.key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	claims, err := json.Marshal(map[string]any{"iss": client, "sub": client, "aud": audience, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()})
	if err != nil {
		return nil, err
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return nil, err
	}
	token, err := signed.CompactSerialize()
	return []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), oauth2.SetAuthURLParam("client_assertion", token)}, err
}
