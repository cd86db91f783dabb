package clients

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"

	"holobench/wire/http1"
)

// browser is what one client keeps between its requests.
type browser struct {
	client *Client

	entered chan struct{} // holds a token while nobody is at it; who has it may make the requests that come once
	done    bool          // they were made

	mu      sync.Mutex
	names   map[string]string // what was captured
	fields  map[string]string // of the head of the stream's last answer, by small letters; nil = nobody asks for them
	last    string            // the id of the last event of the stream
	cookies *cookiejar.Jar    // nil = none came yet

	expecting
}

func newBrowser(c *Client) *browser {
	b := &browser{client: c, entered: make(chan struct{}, 1)}
	b.entered <- struct{}{}
	return b
}

// name is the client's Names.
func (b *browser) name(dst []byte, name string) (out []byte, ok bool) {
	crowd := b.client.crowd
	switch name {
	case "channel":
		return append(dst, b.client.firstChannel()...), true
	case "run.id":
		return append(dst, crowd.Run.String()...), true
	}
	if token, is := strings.CutPrefix(name, "jwt."); is {
		for i := range crowd.Own.Tokens {
			if crowd.Own.Tokens[i].Name == token {
				return crowd.Own.Tokens[i].sign(dst, b.name, &crowd.own.keys)
			}
		}
		return dst, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	value, ok := b.names[name]
	switch field, is := strings.CutPrefix(name, "header."); {
	case ok:
	case is:
		value, ok = b.fields[strings.ToLower(field)]
	case name == "last_id":
		value, ok = b.last, b.last != ""
	case crowd.Own.Know != nil:
		return crowd.Own.Know(dst, b.client.id, name)
	}
	return append(dst, value...), ok
}

// firstChannel is the channel of the client, "" when it has none.
func (c *Client) firstChannel() string {
	if channels := c.Channels(); len(channels) > 0 {
		return channels[0]
	}
	return ""
}

// keep captures from a text.
func (b *browser) keep(captures []Capture, text []byte, fields []http1.Field) (missed string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range captures {
		part, ok := c.Find(text, fields)
		if !ok {
			return c.Name
		}
		if b.names == nil {
			b.names = make(map[string]string)
		}
		b.names[c.Name] = string(part)
	}
	return ""
}

// eat keeps the cookies of an answer.
func (b *browser) eat(from *url.URL, cookies []*http.Cookie) {
	if len(cookies) == 0 || b.client.crowd.Own.NoCookies {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cookies == nil {
		b.cookies, _ = cookiejar.New(nil) // its only error is one of the options
	}
	b.cookies.SetCookies(from, cookies)
}

// cookie is the value of the field Cookie of a request to that place, "" when it has none.
func (b *browser) cookie(to *url.URL) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cookies == nil {
		return ""
	}
	var all []string
	for _, c := range b.cookies.Cookies(to) {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

// header are the fields of a request of the client, on whatever wire, behind those that the wire needs.
func (c *Client) header(fields []http1.Field, to *url.URL) []http1.Field {
	if to.Host == c.crowd.host() { // they are for the server, and may be secrets
		fields = append(fields, c.crowd.Header...)
	} else if at := slices.IndexFunc(c.crowd.Header, func(f http1.Field) bool { return strings.EqualFold(f.Name, "User-Agent") }); at >= 0 {
		fields = append(fields, c.crowd.Header[at])
	}
	if c.browser == nil {
		return fields
	}
	if cookie := c.browser.cookie(to); cookie != "" {
		fields = append(fields, http1.Field{Name: "Cookie", Value: cookie})
	}
	return fields
}

// cookies is the field of a request to the server that bears them; none when there are none.
func (c *Client) cookies() []http1.Field {
	if c.browser == nil {
		return nil
	}
	if cookie := c.browser.cookie(c.crowd.origin()); cookie != "" {
		return []http1.Field{{Name: "Cookie", Value: cookie}}
	}
	return nil
}
