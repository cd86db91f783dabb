package har

import (
	"net/url"
	"slices"
	"strings"
)

// place is a kind of place in a request at which a value can stand.
type place int

const (
	inPath place = iota
	inQuery
	inHeader
	inJSON
	inForm
	inBody
)

// slot is one value of a request.
type slot struct {
	place place
	name  string // of a parameter, a header field, a key; in a path the segment before it
	value string
	from  int // where it stands: in the path or the query as it is spelled, in the body; the number of a header field
	to    int
	leaf  leaf // inJSON
	index int  // its number among those of its place
}

// alike says whether two slots of two requests of one kind are the same one.
func (s *slot) alike(o *slot) bool {
	return s.place == o.place && s.index == o.index && s.name == o.name
}

// slots lists the values of a request: those of the address, the header fields that make a difference, the body.
func (x *exchange) slots() []slot {
	if x.parts != nil {
		return x.parts
	}
	all := pathSlots(x.url.EscapedPath())
	all = append(all, pairSlots(inQuery, x.url.RawQuery)...)
	for i, f := range x.header {
		if matters(f.name, f.value) {
			all = append(all, slot{place: inHeader, name: f.name, value: f.value, from: i, index: i})
		}
	}
	x.parts = append(all, x.bodySlots()...)
	return x.parts
}

func (x *exchange) bodySlots() []slot {
	if x.body == "" {
		return nil
	}
	if x.bodyType == formType {
		return pairSlots(inForm, x.body)
	}
	found, ok := leaves(x.body)
	if !ok {
		return []slot{{place: inBody, value: x.body, to: len(x.body)}}
	}
	all := make([]slot, len(found))
	for i, l := range found {
		all[i] = slot{place: inJSON, name: l.key, value: l.value, from: l.from, to: l.to, leaf: l, index: i}
	}
	return all
}

// pathSlots are the segments of a path.
func pathSlots(path string) []slot {
	var all []slot
	before, at := "", 0
	for i, segment := range strings.Split(path, "/") {
		if segment != "" {
			value, err := url.PathUnescape(segment)
			if err != nil {
				value = segment
			}
			all = append(all, slot{place: inPath, name: before, value: value, from: at, to: at + len(segment), index: i})
			before = value
		}
		at += len(segment) + 1
	}
	return all
}

// pairSlots are the values of a query, or of a form.
func pairSlots(where place, text string) []slot {
	var all []slot
	at := 0
	for i, pair := range strings.Split(text, "&") {
		name, value, has := strings.Cut(pair, "=")
		from := at + len(name) + 1
		if has || where == inForm && name != "" {
			all = append(all, slot{place: where, name: unescaped(name), value: unescaped(value), from: min(from, at+len(pair)), to: at + len(pair), index: i})
		}
		at += len(pair) + 1
	}
	return all
}

// browsers are header fields that a browser sets by itself, and that a server answers alike without.
func browsers() []string {
	return []string{
		"accept-charset", "accept-encoding", "accept-language", "cache-control", "connection", "content-length", "cookie", "dnt", "expect",
		"host", "if-modified-since", "if-none-match", "keep-alive", "last-event-id", "origin", "pragma", "priority", "proxy-connection", "range", "referer",
		"save-data", "te", "trailer", "transfer-encoding", "upgrade", "upgrade-insecure-requests", "user-agent",
		// Those by which requests are followed through a system.
		"baggage", "b3", "newrelic", "sentry-trace", "traceparent", "tracestate", "x-request-id", "x-amzn-trace-id", "x-cloud-trace-context",
	}
}

// matters says whether a header field has to be sent by a client that is no browser.
func matters(name, value string) bool {
	name = strings.ToLower(name)
	switch {
	case value == "" || !isHeader(name) || slices.Contains(browsers(), name):
		return false
	case strings.HasPrefix(name, "sec-") || strings.HasPrefix(name, "x-b3-") || strings.HasPrefix(name, "x-datadog-") || strings.HasPrefix(name, "x-client-data"):
		return false
	case name == "accept":
		return !strings.HasPrefix(value, "*/*") && !strings.HasPrefix(value, "text/html")
	}
	return true
}

// isHeader says whether a text can be the name of a header field; those of HTTP/2 that begin with a colon are none.
func isHeader(name string) bool {
	return name != "" && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// sendable says whether a request can be told to have a header field.
func sendable(name string) bool {
	return isHeader(name) && !slices.Contains([]string{"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "upgrade", "te", "trailer", "expect", "keep-alive"}, strings.ToLower(name))
}
