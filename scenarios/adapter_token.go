package scenarios

import (
	"encoding/pem"
	"path/filepath"
	"slices"
	"strings"
)

// The ways in which a token is signed.
const (
	TokenHS256 = "HS256"
	TokenRS256 = "RS256"
	TokenES256 = "ES256"
)

// tokensOf resolves the tokens that clients sign.
func (a *adapter) tokensOf(form *named[tokenForm]) []Token {
	var all []Token
	for _, e := range form.list {
		a.checkKey(e.key, "jwt")
		a.require(&e.form.Claims.spot, &e.form.spot, "claims", `write a JSON object: claims: '{"sub": "${client}"}'`)
		t := Token{
			Name: e.name, Alg: a.oneOf(&e.form.Alg, TokenHS256, []string{TokenHS256, TokenRS256, TokenES256}),
			Key: a.tokenKey(&e.form), Header: a.template(&e.form.Header), Claims: a.template(&e.form.Claims), TTL: e.form.TTL.or(0),
		}
		a.checkPEM(&e.form, &t)
		a.tokens = append(a.tokens, e.name)
		all = append(all, t)
	}
	return all
}

// checkPEM refuses a key that is known already and is no private key.
func (a *adapter) checkPEM(form *tokenForm, t *Token) {
	at := &form.Key
	if form.KeyFile.given() {
		at = &form.KeyFile
	}
	key, known := t.Key.Constant()
	if t.Alg == TokenHS256 || !known || key == "" {
		return
	}
	if block, _ := pem.Decode([]byte(key)); block == nil || !strings.HasSuffix(block.Type, "PRIVATE KEY") {
		a.add(at.at, at.path+": "+t.Alg+" signs by a private key in PEM, and this is none", "it begins with -----BEGIN PRIVATE KEY-----")
	}
}

// tokenKey is what a token is signed with: it stands in the file, or in one of its own.
func (a *adapter) tokenKey(form *tokenForm) Template {
	switch {
	case !form.KeyFile.given():
		a.require(&form.Key.spot, &form.spot, "key", `write what it is signed with: key: "${env.JWT_KEY}", or key_file: ./key.pem`)
		return a.template(&form.Key)
	case form.Key.given():
		a.add(form.KeyFile.at, form.path+": a token has one key, and key and key_file are here", "leave one of them out")
	case form.KeyFile.usable():
		path, _ := a.fillIn(&form.KeyFile)
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(a.file), path)
		}
		key, err := readText(path)
		key = strings.TrimRight(key, "\r\n") // an editor ends the last line, and no secret
		switch {
		case err != nil:
			a.add(form.KeyFile.at, form.KeyFile.path+": "+err.Error(), "its path counts from where the protocol file is")
		case key == "":
			a.add(form.KeyFile.at, form.KeyFile.path+": there is no key in "+quote(path), "write the key into it, and nothing else")
		case !slices.Contains(a.secret, key):
			a.secret = append(a.secret, key)
		}
		return a.literal(key)
	}
	return Template{}
}
