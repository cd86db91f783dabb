package har

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// reference is what stands for a value in a template.
type reference struct {
	name  string // of a capture or of holobench's own; "" = text is all there is to it
	text  string // a template as it stands, such as page-${run.id}-${client}
	whole bool   // it stands for the whole of a slot only, never for a part of one
	check string // what has to be looked at where it is used; "" = nothing
}

// capture is how a value is found in an answer or in an event.
type capture struct {
	name, json, regex, header string
	check                     string
}

// trace finds out where the values of a request come from, and what has to be asked for before it.
func (d *deduction) trace(x *exchange) {
	for _, s := range x.slots() {
		if x == d.command && s.alike(&d.payload) || isClock(s.value, x.start) {
			continue
		}
		for _, value := range pieces(s.value) {
			if ref, known := d.refs[value]; known && (!ref.whole || value == s.value) {
				d.links(x, ref.name)
				continue
			}
			if d.traceValue(x, &s, value) {
				break // what is left of it are parts of that
			}
		}
	}
	for _, c := range cookiesOf(first(x.header, "Cookie")) {
		d.traceCookie(x, c.name, c.value)
	}
}

// links notes that the stream's own request uses a capture.
func (d *deduction) links(x *exchange, name string) {
	for _, n := range d.needed {
		if x == d.stream && slices.ContainsFunc(n.captures, func(c capture) bool { return c.name == name }) {
			n.direct = true
		}
	}
}

// traceValue looks for the first sight of a value. It says whether something has to stand for it.
func (d *deduction) traceValue(x *exchange, s *slot, value string) bool {
	short := !random(value)
	if short && (value != s.value || !identifies(s.name) || value == "") || value == d.channel {
		return false
	}
	for _, y := range d.recording.exchanges[:x.number-1] {
		if d.asks(y, value) {
			if !short {
				d.madeUp(x, y, s, value)
			}
			return d.refs[value] != reference{}
		}
		if y == d.stream && d.fromEvent(x, s, value, short) {
			return true
		}
		if !y.before(x) || y == d.stream {
			continue
		}
		if c, ok := d.pick(y, s, value, short); ok {
			d.needs(y, x, c, value)
			return true
		}
	}
	if !short {
		d.madeUp(x, x, s, value)
	}
	return d.refs[value] != reference{}
}

// needs notes that y gives a value that x sends.
func (d *deduction) needs(y, x *exchange, c capture, value string) {
	n := d.need(y)
	n.captures = append(n.captures, c)
	n.linked = true
	n.direct = n.direct || x == d.stream
	d.refs[value] = reference{name: c.name, whole: !random(value)}
}

// need notes that a request has to be made, and traces what that takes.
func (d *deduction) need(y *exchange) *need {
	if i := slices.IndexFunc(d.needed, func(n *need) bool { return n.x == y }); i >= 0 {
		return d.needed[i]
	}
	n := &need{x: y}
	d.needed = append(d.needed, n)
	d.trace(y)
	return n
}

// pick finds a value in an answer: in a header field, in JSON, in HTML. Scripts are left out: what stands in them is a constant.
func (d *deduction) pick(y *exchange, s *slot, value string, short bool) (capture, bool) {
	inside := d.has(y.answer, value)
	if found, ok := d.leavesIf(inside, y.answer); ok {
		for _, l := range found {
			if l.value == value && l.path != "" && (!short || identifies(l.key) && (l.key == s.name || strings.Contains(strings.ToLower(s.name), strings.ToLower(l.key)))) {
				c := capture{name: d.name(l.key), json: l.path}
				if strings.Contains(l.path, "[") {
					c.check = "it is one of a list, and the list may be another next time"
				}
				return c, true
			}
		}
	}
	if short || strings.Contains(y.answerType, "javascript") {
		return capture{}, false
	}
	for _, f := range y.answerHeader {
		if strings.EqualFold(f.name, "Set-Cookie") {
			for _, cookie := range cookiesOf(f.value) {
				if cookie.value == value || unescaped(cookie.value) == value {
					return capture{
						name: d.name(cookie.name), header: "Set-Cookie", regex: regexp.QuoteMeta(cookie.name) + "=([^;]+)",
						check: "the value of the cookie " + shown(cookie.name) + " is sent beside the cookie",
					}, true
				}
			}
			continue
		}
		if f.value == value {
			return capture{name: d.name(f.name), header: f.name}, true
		}
	}
	if inside {
		if pattern, key, ok := around(y.answer, value); ok {
			return capture{name: d.name(key, s.name), regex: pattern}, true
		}
	}
	return capture{}, false
}

// has says whether a value stands in a text, be it as JSON spells it. It is much cheaper than to read the JSON.
func (d *deduction) has(text, value string) bool {
	if d.looked += len(text); d.looked > maxLooked {
		return false
	}
	return strings.Contains(text, value) || strings.Contains(value, "/") && strings.Contains(text, strings.ReplaceAll(value, "/", `\/`))
}

func (d *deduction) leavesIf(worth bool, text string) ([]leaf, bool) {
	if !worth {
		return nil, false
	}
	d.looked += 20 * len(text) // it takes so much longer than to search it
	return leaves(text)
}

// fromEvent finds a value in an event of the stream that came before x was sent.
func (d *deduction) fromEvent(x *exchange, s *slot, value string, short bool) bool {
	for i := range d.stream.events {
		e := &d.stream.events[i]
		if !e.at.IsZero() && e.at.After(x.start.Add(rounding)) {
			break
		}
		if d.ready != nil && d.ready.event != *e {
			continue
		}
		c, ok := capture{}, false
		inside := d.has(e.data, value)
		if found, isJSON := d.leavesIf(inside, e.data); isJSON {
			for _, l := range found {
				if l.value == value && l.path != "" && (!short || l.key == s.name) {
					c, ok = capture{name: d.name(l.key), json: l.path}, true
					break
				}
			}
		}
		if !ok && !short && inside {
			var key string
			if c.regex, key, ok = around(e.data, value); ok {
				c.name = d.name(key, s.name)
			}
		}
		if !ok {
			continue
		}
		if d.ready == nil {
			d.ready = &awaited{event: *e}
		}
		d.ready.captures = append(d.ready.captures, c)
		d.refs[value] = reference{name: c.name, whole: short}
		return true
	}
	return false
}

// madeUp decides what stands for a value that was first seen in the request y: it is the browser's own, or a secret.
func (d *deduction) madeUp(x, y *exchange, s *slot, value string) {
	switch {
	case s.place == inHeader || secretName(s.name):
		return // phrasing puts a variable of the environment there
	case y.document() || y.method == "GET" && y.number == 1:
		return // the address of the page says it: it names what the person was looking at
	case strings.Trim(value, "0123456789.") == "" || isClock(value, y.start) || d.inScript(value, x):
		return
	case s.place == inPath:
		return // it names a thing at the server
	}
	text := prefixOf(value) + "${run.id}-${client}"
	check := "the browser made it up; here each client makes one of its own"
	if d.command != nil && y.number >= d.command.number && slices.Contains(d.samples, y) {
		text += "-${seq}"
		check = "the browser made it up for this command; here each command has one of its own"
	}
	if uuid.MatchString(value) {
		text = strings.Replace(text, "-", "-0000-4000-8000-", 1)
		check += ". It was a UUID; what stands here is none to the letter"
	}
	d.refs[value] = reference{text: text, check: check}
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// inScript says whether a value stands in a script of the page: then it is a constant.
func (d *deduction) inScript(value string, x *exchange) bool {
	return slices.ContainsFunc(d.recording.exchanges[:x.number-1], func(y *exchange) bool {
		return strings.Contains(y.answerType, "javascript") && d.holds(y.answer, value)
	})
}

// prefixOf is what stands before the first part of a value that looks random: "page-" of page-1a2b3c4d.
func prefixOf(value string) string {
	at := strings.IndexAny(value, "-_.:")
	if at <= 0 || strings.Trim(strings.ToLower(value[:at]), "abcdefghijklmnopqrstuvwxyz") != "" || !plain(value[:at+1]) {
		return ""
	}
	return value[:at+1]
}

// traceCookie looks for who has set a cookie.
func (d *deduction) traceCookie(x *exchange, name, value string) {
	var setter *exchange
	for _, y := range d.recording.exchanges[:x.number-1] {
		for _, f := range y.answerHeader {
			if strings.EqualFold(f.name, "Set-Cookie") && slices.ContainsFunc(strings.Split(f.value, "\n"), func(line string) bool {
				set, _, _ := strings.Cut(line, ";")
				return strings.TrimSpace(set) == name+"="+value
			}) {
				setter = y
			}
		}
	}
	switch {
	case setter != nil:
		d.need(setter).cookies = true
	case !tracking(name):
		d.missing[name] = true
	}
}

// tracking says whether a cookie is there to count visitors.
func tracking(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"_ga", "_gid", "_gat", "_fbp", "_gcl", "ajs_", "_hj", "amplitude", "intercom", "optimizely", "mp_", "consent", "cookie_notice"}, func(p string) bool {
		return strings.HasPrefix(name, p) || strings.HasSuffix(name, p)
	})
}

// cookiesOf reads Cookie and Set-Cookie; of the latter the first of each line counts.
func cookiesOf(header string) []field {
	var all []field
	for line := range strings.SplitSeq(header, "\n") {
		for part := range strings.SplitSeq(line, ";") {
			if name, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok && name != "" && len(all) < 100 {
				all = append(all, field{name, value})
			}
		}
	}
	return all
}

// around makes a regular expression that finds a value in a text by what stands before it, and a name for it. ok is false when
// no short one finds it.
func around(text, value string) (pattern, key string, ok bool) {
	at := indexWord(text, value, 0)
	if at < 0 || !utf8.ValidString(value) {
		return "", "", false
	}
	group := `([^"'\s<>&;,)\\]+)`
	if !regexp.MustCompile(`^` + group + `$`).MatchString(value) {
		return "", "", false
	}
	for size := 6; size <= 120; size++ {
		from := at - size
		if from < 0 {
			from, size = 0, 200
		}
		prefix := text[from:at]
		if !utf8.ValidString(prefix) || strings.Count(prefix, "") > 1 && word(prefix[0]) && from > 0 && word(text[from-1]) {
			continue // it would begin in the middle of a word
		}
		key = lastWord(prefix)
		if key == "" || slices.ContainsFunc(pieces(prefix), random) {
			if size < 200 && key == "" {
				continue
			}
			return "", "", false // a token stands before it, which is another one next time
		}
		pattern = strings.Join(strings.Fields(regexp.QuoteMeta(prefix)), `\s+`) + group
		if strings.HasSuffix(prefix, " ") {
			pattern = strings.TrimSuffix(pattern, group) + `\s+` + group
		}
		compiled, err := regexp.Compile(pattern)
		if err != nil {
			return "", "", false
		}
		if found := compiled.FindStringSubmatch(text); found != nil && found[1] == value {
			return pattern, key, true
		}
	}
	return "", "", false
}

// lastWord is the last word of three letters or more, or id, that names something: not "value" and the like.
func lastWord(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return r > 0x7f || !word(byte(r)) && r != '-' })
	for _, w := range slices.Backward(words) {
		if (len(w) >= 3 || w == "id") && len(w) <= 40 && !slices.Contains([]string{"true", "false", "null", "value", "content", "name", "input", "meta", "data", "type", "hidden", "bitstring"}, strings.ToLower(w)) && strings.Trim(w, "0123456789-_") != "" {
			return w
		}
	}
	return ""
}

// name makes a name for a capture: the first of the words that is one, and not taken.
func (d *deduction) name(words ...string) string {
	name := ""
	for _, w := range words {
		if name = identifier(w); name != "" {
			break
		}
	}
	if name == "" {
		name = "captured"
	}
	for n, base := 2, name; slices.Contains(d.taken, name); n++ {
		name = base + "_" + string(rune('0'+n%10))
		if n > 9 {
			name = base + strings.Repeat("_", n)
		}
	}
	d.taken = append(d.taken, name)
	return name
}

// identifier makes of a word a name as templates have them.
func identifier(w string) string {
	var b strings.Builder
	for i := range len(w) {
		switch c := w[i]; {
		case kindOf(c) == small || c == '_' || kindOf(c) == digit && b.Len() > 0:
			b.WriteByte(c)
		case kindOf(c) == capital:
			if b.Len() > 0 && kindOf(w[i-1]) == small {
				b.WriteByte('_')
			}
			b.WriteByte(c | 0x20)
		case c == '-' && b.Len() > 0:
			b.WriteByte('_')
		}
	}
	name := strings.Trim(b.String(), "_")
	switch {
	case len(name) > 40:
		return name[:40]
	case name != "" && !plain(name) || slices.Contains([]string{"client", "group", "channel", "run", "env", "jwt", "with", "name", "payload", "marker", "seq", "last_id", "n", "header"}, name):
		return name + "_of_server"
	}
	return name
}
