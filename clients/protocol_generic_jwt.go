package clients

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"
)

// Token is a JSON Web Token that a client signs each time that it sends it, by HS256.
type Token struct {
	Name   string
	Key    Text
	Header Text          // a JSON object beside alg and typ; nil = none
	Claims Text          // a JSON object
	TTL    time.Duration // claims that say no iat and exp get them; 0 = they do not
}

// sign appends the token.
func (t *Token) sign(dst []byte, names Names) (out []byte, ok bool) {
	header := map[string]any{"alg": "HS256", "typ": "JWT"}
	claims := map[string]any{}
	if !t.object(t.Header, header, names) || !t.object(t.Claims, claims, names) {
		return dst, false
	}
	key, missing := t.Key(nil, names)
	if missing != "" {
		return dst, false
	}
	if t.TTL > 0 {
		now := time.Now()
		set := func(claim string, at time.Time) {
			if _, said := claims[claim]; !said {
				claims[claim] = at.Unix()
			}
		}
		set("iat", now)
		set("exp", now.Add(t.TTL))
	}
	from := len(dst)
	for i, part := range []map[string]any{header, claims} {
		text, err := json.Marshal(part)
		if err != nil {
			return dst[:from], false
		}
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = base64.RawURLEncoding.AppendEncode(dst, text)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(dst[from:])
	dst = append(dst, '.')
	return base64.RawURLEncoding.AppendEncode(dst, mac.Sum(nil)), true
}

// object reads a JSON object into one.
func (t *Token) object(text Text, into map[string]any, names Names) bool {
	if text == nil {
		return true
	}
	filled, missing := text(nil, names)
	return missing == "" && (len(filled) == 0 || json.Unmarshal(filled, &into) == nil)
}
