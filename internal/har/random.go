package har

import "strings"

// random says whether a text looks as if a machine had made it up: nobody types it, and no two clients have the same.
func random(s string) bool {
	if len(s) < 6 || len(s) > 4096 {
		return false
	}
	digits, lower, upper, others, turns, run := 0, 0, 0, 0, 0, 0
	last, longest := 0, 0
	for i := range len(s) {
		kind := kindOf(s[i])
		switch kind {
		case digit:
			digits++
		case small:
			lower++
		case capital:
			upper++
		case joint:
			others++
		default:
			return false // a space, a comma: words
		}
		if kind != last {
			turns, run = turns+1, 0
		}
		if run++; kind != digit {
			longest = max(longest, run)
		}
		last = kind
	}
	letters := lower + upper
	switch {
	case digits >= 9 && letters == 0 && others <= 1:
		return true
	case len(s) >= 8 && digits >= 2 && letters >= 1 && turns >= 4 && others*3 <= len(s):
		return true
	case len(s) >= 16 && turns >= 6 && digits >= 1:
		return true
	case len(s) >= 12 && turns >= 3 && digits >= 1 && others == 0: // one digit among small letters: every twentieth id of 15 of [0-9a-z]
		return true
	default: // letters of both sizes in disorder, and no words
		return len(s) >= 16 && lower > 0 && upper > 0 && turns*2 >= len(s) && longest < 8
	}
}

const (
	digit = iota + 1
	small
	capital
	joint
)

func kindOf(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return digit
	case c >= 'a' && c <= 'z':
		return small
	case c >= 'A' && c <= 'Z':
		return capital
	case strings.IndexByte("-_.~+/=:%", c) >= 0:
		return joint
	}
	return 0
}

// pieces are the parts of a value that could be a token: all of it, and what stands between separators.
func pieces(value string) []string {
	all := []string{value}
	for _, piece := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;|&\"'<>(){}[]", r) }) {
		if piece != value {
			all = append(all, piece)
		}
		for _, part := range strings.FieldsFunc(piece, func(r rune) bool { return r == '=' || r == ':' || r == '/' || r == '?' }) {
			if part != piece {
				all = append(all, part)
			}
		}
		if len(all) > 200 {
			break
		}
	}
	return all
}

// within says whether a value stands in a text, and not only as a part of a longer word.
func within(text, value string) bool { return indexWord(text, value, 0) >= 0 }

// indexWord finds a value that is not a part of a longer word, at from or behind it.
func indexWord(text, value string, from int) int {
	if value == "" {
		return -1
	}
	for from <= len(text)-len(value) {
		at := strings.Index(text[from:], value)
		if at < 0 {
			return -1
		}
		at += from
		end := at + len(value)
		if (at == 0 || !word(text[at-1]) || !word(value[0])) && (end == len(text) || !word(text[end]) || !word(value[len(value)-1])) {
			return at
		}
		from = at + 1
	}
	return -1
}

func word(c byte) bool { k := kindOf(c); return k == digit || k == small || k == capital || c == '_' }

// secretName says whether something of that name is a secret.
func secretName(name string) bool {
	name = strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
	for _, part := range []string{"password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "auth", "credential", "signature", "session", "csrf", "xsrf"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return name == "pass" || name == "pwd" || name == "pin" || name == "otp" || name == "sid" || name == "jwt" || name == "sig" || name == "code" || name == "key"
}

// identifies says whether something of that name tells one thing from its like, however short it is.
func identifies(name string) bool {
	lower := strings.ToLower(name)
	return lower == "id" || lower == "uuid" || strings.HasSuffix(lower, "_id") || strings.HasSuffix(lower, "-id") || strings.HasSuffix(name, "Id") || strings.HasSuffix(name, "ID") ||
		strings.Contains(lower, "nonce") || secretName(name)
}
