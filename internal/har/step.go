package har

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// step is a request as a file has it.
type step struct {
	checks   []string
	method   string // in small letters
	url      string
	headers  []field
	bodyKey  string // json, form, body; "" = none
	body     string
	form     []field
	status   string
	stay     bool
	captures []capture
}

// spelling is how a text has to be written where it stands.
type spelling int

const (
	asIs spelling = iota
	asURL
	asJSON // within quotes
)

// phrase writes a request with names in place of what is another one at each client.
func (d *deduction) phrase(x *exchange) step {
	s := step{method: strings.ToLower(x.method)}
	said := func(check string) {
		if check != "" && !slices.Contains(s.checks, check) {
			s.checks = append(s.checks, check)
		}
	}
	s.url = d.spans(x, x.url.EscapedPath(), inPath, said)
	if x.url.RawQuery != "" {
		s.url += "?" + d.spans(x, x.url.RawQuery, inQuery, said)
	}
	if s.url == "" || s.url[0] != '/' {
		s.url = "/" + s.url
	}
	if x.url.Host != d.stream.url.Host || x.url.Scheme != d.stream.url.Scheme {
		s.url = x.url.Scheme + "://" + x.url.Host + s.url
		if x == d.command && x.url.Scheme == "https" {
			said("commands go to another place than the stream, " + shown(x.url.Host) + ", over TLS, which holobench does not do: give it one place for both")
		}
	}
	d.phraseBody(x, &s, said)
	for _, p := range x.slots() {
		if p.place == inHeader && (!strings.EqualFold(p.name, "Content-Type") || !s.saysType(x.bodyType)) {
			text, check := d.fill(x, &p, asIs)
			said(check)
			s.headers = append(s.headers, field{p.name, text})
		}
	}
	s.headers = slices.CompactFunc(s.headers, func(a, b field) bool { return strings.EqualFold(a.name, b.name) })
	if x.status >= 300 {
		s.stay, s.status = true, strconv.Itoa(x.status)
	}
	return s
}

// saysType says whether the key of the body gives the request its type.
func (s *step) saysType(kind string) bool {
	return s.bodyKey == "form" || s.bodyKey == "" || s.bodyKey == "json" && kind == "application/json"
}

// spans writes the path or the query of x.
func (d *deduction) spans(x *exchange, raw string, where place, said func(string)) string {
	var b strings.Builder
	from := 0
	for _, p := range x.slots() {
		if p.place != where {
			continue
		}
		text, check := d.fill(x, &p, asURL)
		if text == asConstant(p.value, asURL) {
			text = asConstant(raw[p.from:p.to], asIs) // as the browser spelled it
		}
		said(check)
		b.WriteString(asConstant(raw[from:p.from], asIs) + text)
		from = p.to
	}
	return b.String() + asConstant(raw[from:], asIs)
}

// phraseBody writes what a request carries.
func (d *deduction) phraseBody(x *exchange, s *step, said func(string)) {
	switch {
	case x.body == "" || x.method == "GET":
		return
	case !utf8.ValidString(x.body) || strings.Contains(x.body, "\x00"):
		said("the body is no text (" + strconv.Itoa(len(x.body)) + " bytes), and was left out")
		return
	}
	parts := x.bodySlots()
	if x.bodyType == formType {
		names := make(map[string]bool)
		for i := range parts {
			names[parts[i].name] = true
		}
		if len(names) == len(parts) && !names[""] {
			s.bodyKey = "form"
			for i := range parts {
				text, check := d.fill(x, &parts[i], asIs)
				said(check)
				s.form = append(s.form, field{parts[i].name, text})
			}
			return
		}
	}
	s.bodyKey = "body"
	spell := asIs
	switch {
	case strings.HasSuffix(x.bodyType, "json") && len(parts) > 0 && parts[0].place == inJSON:
		s.bodyKey = "json"
	case x.bodyType == formType:
		spell = asURL
	}
	var b strings.Builder
	from := 0
	for i := range parts {
		p := &parts[i]
		style := spell
		if p.place == inJSON {
			style = asJSON
		}
		text, check := d.fill(x, p, style)
		said(check)
		if text == asConstant(p.value, style) {
			text = asConstant(x.body[p.from:p.to], asIs)
		} else if p.place == inJSON && p.leaf.text {
			text = quotedJSON(text)
		}
		b.WriteString(asConstant(x.body[from:p.from], asIs) + text)
		from = p.to
	}
	s.body = b.String() + asConstant(x.body[from:], asIs)
}

// quotedJSON puts quotes around the inside of a string, or asks for a string where one name is all there is.
func quotedJSON(text string) string {
	if name, ok := strings.CutSuffix(text, "|in_json}"); ok && strings.LastIndex(name, "${") == 0 {
		return name + "|json}"
	}
	return `"` + text + `"`
}

// fill writes a value with names in it. A secret that no answer gave becomes a variable of the environment.
func (d *deduction) fill(x *exchange, s *slot, style spelling) (text, check string) {
	switch {
	case x == d.command && s.alike(&d.payload):
		return d.fillPayload(s, style)
	case d.channel != "" && s.value == d.channel && s.place != inHeader:
		return written("channel", style), ""
	}
	if ref, ok := d.refs[s.value]; ok {
		return ref.written(style), ref.check
	}
	var b strings.Builder
	rest, found := s.value, false
	for rest != "" {
		at, value, ref := d.nextReference(x, rest)
		if at < 0 {
			break
		}
		b.WriteString(joined(asConstant(rest[:at], style), style) + ref.written(style))
		rest, found = rest[at+len(value):], true
		if check == "" {
			check = ref.check
		}
	}
	switch {
	case found:
		return b.String() + asConstant(rest, style), check
	case s.place == inPath && random(s.value):
		check = "a part of the path looks random: it names one thing at the server, or is a secret"
	case d.secret(s):
		return d.hidden(s, style)
	case s.place != inPath && s.place != inHeader && isClock(s.value, x.start):
		check = shown(s.name) + " was the time of the request; here it is always the same"
	case x == d.command && s.place != inHeader && len(d.samples) > 1 && varies(d.samples, s):
		return d.varying(s, style)
	}
	return asConstant(s.value, style), check
}

// nextReference finds the first value with a reference in a text, the longest of several. In a command its own text is one: it may
// stand there twice.
func (d *deduction) nextReference(x *exchange, text string) (at int, value string, ref reference) {
	at = -1
	try := func(v string, r reference) {
		if i := indexWord(text, v, 0); i >= 0 && (at < 0 || i < at || i == at && len(v) > len(value)) {
			at, value, ref = i, v, r
		}
	}
	for v, r := range d.refs {
		if !r.whole {
			try(v, r)
		}
	}
	if x == d.command && len(d.payload.value) > 3 {
		try(d.payload.value, reference{name: "payload"})
	}
	return at, value, ref
}

func (d *deduction) fillPayload(s *slot, style spelling) (text, check string) {
	text = written("payload", style)
	if s.place == inBody && random(s.value) {
		check = "all of the body was taken for the text"
	}
	return text, check
}

// written is a name as it stands in a template.
func written(name string, style spelling) string {
	switch style {
	case asURL:
		return "${" + name + "|url}"
	case asJSON:
		return "${" + name + "|in_json}"
	default:
		return "${" + name + "}"
	}
}

// written is what stands for a value in a template.
func (r *reference) written(style spelling) string {
	if r.name == "" {
		return r.text
	}
	return written(r.name, style)
}

// asConstant is a text that stands for itself in a template.
func asConstant(text string, style spelling) string {
	switch style {
	case asURL:
		text = strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
	case asJSON:
		text = escapedJSON(text)
	case asIs:
	}
	return strings.ReplaceAll(text, "${", "$${")
}

// joined is a constant with a name behind it: a dollar would undo that.
func joined(text string, style spelling) string {
	if !strings.HasSuffix(text, "$") {
		return text
	}
	if style == asJSON {
		return text[:len(text)-1] + `\u0024`
	}
	return text[:len(text)-1] + "${env.DOLLAR|default:$}"
}

// secret says whether a value must not stand in a file.
func (d *deduction) secret(s *slot) bool {
	if s.value == "" || s.place == inPath || s.value == "true" || s.value == "false" || s.value == "null" {
		return false
	}
	if s.place == inHeader {
		name := strings.ToLower(s.name)
		if name == "content-type" || name == "accept" {
			return false
		}
		return secretName(name) || slices.ContainsFunc(pieces(s.value), random)
	}
	return secretName(s.name) && (s.place != inJSON || s.leaf.text || random(s.value))
}

// hidden is the variable of the environment in place of a secret. Words before it, such as Bearer, stay.
func (d *deduction) hidden(s *slot, style spelling) (text, check string) {
	variable := strings.ToUpper(strings.Trim(strings.Map(func(r rune) rune {
		if r < 0x80 && word(byte(r)) {
			return r
		}
		return '_'
	}, s.name), "_0123456789"))
	if variable = variable[:min(len(variable), 60)]; variable == "" {
		variable = "SECRET"
	}
	scheme := ""
	if before, _, ok := strings.Cut(s.value, " "); ok && s.place == inHeader && slices.Contains([]string{"bearer", "basic", "token"}, strings.ToLower(before)) {
		scheme = before + " "
	}
	check = fmt.Sprintf("%s is a secret, and stands in no answer: export %s=... before a run", shown(s.name), variable)
	return scheme + written("env."+variable, style), check
}

// varying is what stands for something that was another one in each command.
func (d *deduction) varying(s *slot, style spelling) (text, check string) {
	last, rising := -1, true
	for _, x := range d.samples {
		other, ok := sameSlot(x, s)
		n, err := strconv.Atoi(other.value)
		if !ok || err != nil || n <= last || n > 1_000_000_000 {
			rising = false
			break
		}
		last = n
	}
	if rising {
		return "${seq}", shown(s.name) + " rose from command to command; here it is the number of the client's command, from 1"
	}
	return asConstant(s.value, style), shown(s.name) + " was another one in each command; here it is that of the first"
}

// isClock says whether a value is the time of a request, in seconds, in milliseconds or as a date.
func isClock(value string, now time.Time) bool {
	near := func(t time.Time) bool { return t.Sub(now).Abs() < 24*time.Hour }
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return now.IsZero() || near(at)
	}
	n, err := strconv.ParseInt(value, 10, 64)
	return err == nil && !now.IsZero() && (near(time.UnixMilli(n)) || near(time.Unix(n, 0)))
}
