package har

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/url"
	"slices"
	"strings"
	"time"

	"holobench/wire/sse"
)

// ErrNoRecording is what Read says of a file that is no HAR.
var ErrNoRecording = errors.New("this is no HAR recording")

// Read reads a HAR file, entry by entry, so that what nobody needs (pictures, fonts, scripts of other places) is never kept. It
// takes what Chrome, Edge, Firefox and Safari write, whose bodies and streams differ, and refuses what is longer than MaxFile.
func Read(from io.Reader) (*Recording, error) { return readUpTo(from, MaxFile) }

func readUpTo(from io.Reader, limit int64) (*Recording, error) {
	limited := &io.LimitedReader{R: from, N: limit + 1}
	buffered := bufio.NewReader(limited)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3) // what was peeked at is there
	}
	r := new(Recording)
	err := readObject(json.NewDecoder(buffered), "log", func(d *json.Decoder) error {
		return readObject(d, "entries", r.readEntries)
	})
	switch {
	case limited.N == 0:
		return nil, fmt.Errorf("the recording is longer than %d MiB: record less, or clear the list of requests before you begin", limit>>20)
	case errors.Is(err, ErrNoRecording):
		return nil, fmt.Errorf("%w: save it anew in the developer tools of the browser, as HAR with content", err)
	case err != nil:
		return nil, err
	}
	slices.SortStableFunc(r.exchanges, func(a, b *exchange) int { return a.start.Compare(b.start) })
	for i, x := range r.exchanges {
		x.number = i + 1
	}
	return r, nil
}

// readObject reads an object, one key of which is what is wanted.
func readObject(d *json.Decoder, key string, read func(*json.Decoder) error) error {
	if err := expect(d, '{', key); err != nil {
		return err
	}
	found := false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return malformed(d, err)
		}
		if name == key && !found {
			found = true
			if err := read(d); err != nil {
				return err
			}
			continue
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return malformed(d, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return malformed(d, err)
	}
	if !found {
		return fmt.Errorf("%w: it has no %q", ErrNoRecording, key)
	}
	return nil
}

func expect(d *json.Decoder, want json.Delim, within string) error {
	got, err := d.Token()
	if err != nil {
		return malformed(d, err)
	}
	if got != want {
		return fmt.Errorf("%w: at byte %d something else than %v stands around %q", ErrNoRecording, d.InputOffset(), want, within)
	}
	return nil
}

func malformed(d *json.Decoder, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: near byte %d: %w", ErrNoRecording, d.InputOffset(), err)
}

func (r *Recording) readEntries(d *json.Decoder) error {
	if err := expect(d, '[', "entries"); err != nil {
		return err
	}
	for n := 1; d.More(); n++ {
		if n > MaxRequests {
			return fmt.Errorf("the recording has more than %d requests: record less, or clear the list of requests before you begin", MaxRequests)
		}
		var e entry
		if err := d.Decode(&e); err != nil {
			return fmt.Errorf("entry %d: %w", n, malformed(d, err))
		}
		x, err := e.exchange()
		if err != nil {
			return fmt.Errorf("%w: entry %d: %w", ErrNoRecording, n, err)
		}
		if x != nil {
			r.exchanges = append(r.exchanges, x)
		}
	}
	if _, err := d.Token(); err != nil {
		return malformed(d, err)
	}
	return nil
}

// entry is what is wanted of an entry of a HAR file. What begins with _ is Chrome's own.
type entry struct {
	Started      string        `json:"startedDateTime"`
	Milliseconds float64       `json:"time"`
	ResourceType string        `json:"_resourceType"`
	Request      entryRequest  `json:"request"`
	Response     entryResponse `json:"response"`
	Events       []struct {
		Seconds float64 `json:"time"`
		Name    string  `json:"eventName"`
		ID      string  `json:"eventId"`
		Data    string  `json:"data"`
	} `json:"_eventSourceMessages"`
	Frames []struct {
		Type   string  `json:"type"`
		Opcode float64 `json:"opcode"`
		Data   string  `json:"data"`
	} `json:"_webSocketMessages"`
}

type entryRequest struct {
	Method  string `json:"method"`
	URL     string `json:"url"`
	Headers []pair `json:"headers"`
	Cookies []pair `json:"cookies"`
	Body    *struct {
		Type     string `json:"mimeType"`
		Text     string `json:"text"`
		Params   []pair `json:"params"`
		Encoding string `json:"encoding"`
	} `json:"postData"`
}

type entryResponse struct {
	Status  float64 `json:"status"`
	Headers []pair  `json:"headers"`
	Cookies []pair  `json:"cookies"`
	Content struct {
		Type     string `json:"mimeType"`
		Text     string `json:"text"`
		Encoding string `json:"encoding"`
	} `json:"content"`
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// exchange makes of an entry what is looked at; nil when that is nothing: data:, chrome-extension: and the like.
func (e *entry) exchange() (*exchange, error) {
	if e.Request.URL == "" {
		return nil, errors.New("it has no request.url")
	}
	u, err := url.Parse(e.Request.URL)
	if err != nil {
		return nil, errors.New("request.url is no address") // what stands in it may be a secret
	}
	if u.Host == "" || !slices.Contains([]string{"http", "https", "ws", "wss"}, u.Scheme) {
		return nil, nil //nolint:nilnil // there is nothing of interest, and nothing wrong
	}
	method := strings.ToUpper(e.Request.Method)
	if !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, method) {
		return nil, nil //nolint:nilnil // as above: a preflight, or no method that a client can be told to use
	}
	u.User, u.Fragment = nil, ""
	x := &exchange{
		method: method, url: u, kind: strings.ToLower(e.ResourceType),
		header: fieldsOf(e.Request.Headers), answerHeader: fieldsOf(e.Response.Headers),
	}
	x.header = withCookies(x.header, "Cookie", e.Request.Cookies, "; ")
	x.answerHeader = withCookies(x.answerHeader, "Set-Cookie", e.Response.Cookies, "\n")
	if e.Response.Status >= 100 && e.Response.Status <= 599 {
		x.status = int(e.Response.Status)
	}
	x.times(e)
	x.bodyType = mediaType(first(x.header, "Content-Type"))
	if body := e.Request.Body; body != nil {
		x.body = decoded(body.Text, body.Encoding)
		if x.bodyType == "" {
			x.bodyType = mediaType(body.Type)
		}
		if x.body == "" && x.bodyType == formType {
			x.body = formText(body.Params)
		}
	}
	content := &e.Response.Content
	if x.answerType = mediaType(first(x.answerHeader, "Content-Type")); x.answerType == "" || strings.HasPrefix(mediaType(content.Type), "text/event-stream") {
		x.answerType = mediaType(content.Type)
	}
	if isText(x.answerType) {
		x.answer = decoded(content.Text, content.Encoding)
		x.answer = x.answer[:min(len(x.answer), maxText)]
	}
	x.listen(e)
	return x, nil
}

// times says when it began and ended. A recording without times is taken in the order in which it stands.
func (x *exchange) times(e *entry) {
	start, err := time.Parse(time.RFC3339, e.Started)
	if err != nil {
		return
	}
	x.start = start
	if e.Milliseconds > 0 && e.Milliseconds < float64(24*time.Hour/time.Millisecond) {
		x.end = start.Add(time.Duration(e.Milliseconds * float64(time.Millisecond)))
	}
}

// listen takes up the events of a stream and the messages of a WebSocket. Chrome lists the events of an EventSource one by one;
// elsewhere they stand in the body, if at all.
func (x *exchange) listen(e *entry) {
	for i := range e.Events {
		m := &e.Events[i]
		if len(x.events) == maxEvents {
			break
		}
		x.events = append(x.events, event{at: unixSeconds(m.Seconds), name: orMessage(m.Name), id: m.ID, data: m.Data})
	}
	switch {
	case len(x.events) > 0:
	case x.answerType == "text/event-stream":
		var parser sse.Parser
		_ = parser.Feed([]byte(x.answer), x) // what came before something that is too long is there
	case x.byLines():
		for line := range strings.SplitSeq(x.answer, "\n") {
			if line = strings.TrimSpace(line); line != "" {
				x.OnEvent(&sse.Event{Data: []byte(line)})
			}
		}
	}
	for i := range e.Frames {
		if f := &e.Frames[i]; len(x.frames) < maxEvents && f.Opcode == 1 {
			x.frames = append(x.frames, frame{sent: f.Type == "send", text: f.Data})
		}
	}
}

// OnEvent takes an event of a body.
func (x *exchange) OnEvent(e *sse.Event) {
	if len(x.events) < maxEvents {
		x.events = append(x.events, event{name: orMessage(string(e.Name)), id: string(e.ID), data: string(e.Data)})
	}
}

// OnComment is a heartbeat.
func (x *exchange) OnComment([]byte) {}

// OnRetry is for the client of a stream.
func (x *exchange) OnRetry(time.Duration) {}

func orMessage(name string) string {
	if name == "" {
		return "message"
	}
	return name
}

// unixSeconds is a time as Chrome writes it, zero when it is none.
func unixSeconds(s float64) time.Time {
	if !(s > 1e9 && s < 1e11) {
		return time.Time{}
	}
	whole, part := math.Modf(s)
	return time.Unix(int64(whole), int64(part*1e9))
}

// decoded undoes base64; what is none is as good as nothing.
func decoded(text, encoding string) string {
	if encoding != "base64" {
		return text
	}
	plain, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	return string(plain)
}

const formType = "application/x-www-form-urlencoded"

// formText is the body of a form of which only the fields were recorded. Their names and values are spelled as they went, or
// as they were meant: who reads it sees no difference, but for % and +.
func formText(params []pair) string {
	var b bytes.Buffer
	for i, p := range params {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(unescaped(p.Name)) + "=" + url.QueryEscape(unescaped(p.Value)))
	}
	return b.String()
}

func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

func fieldsOf(pairs []pair) []field {
	all := make([]field, 0, len(pairs))
	for _, p := range pairs {
		all = append(all, field{p.Name, p.Value})
	}
	return all
}

// withCookies adds cookies that stand beside the header fields only.
func withCookies(fields []field, name string, cookies []pair, between string) []field {
	if len(cookies) == 0 || first(fields, name) != "" {
		return fields
	}
	var all []string
	for _, c := range cookies {
		all = append(all, c.Name+"="+c.Value)
	}
	return append(fields, field{name, strings.Join(all, between)})
}

// first is the value of the first field of that name, "" when there is none.
func first(fields []field, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// mediaType is a type without its parameters, in small letters.
func mediaType(value string) string {
	kind, _, err := mime.ParseMediaType(value)
	if err != nil {
		kind, _, _ = strings.Cut(value, ";")
	}
	return strings.ToLower(strings.TrimSpace(kind))
}

// isText says whether a token could stand in something of that type.
func isText(kind string) bool {
	if strings.HasPrefix(kind, "text/") {
		return kind != "text/css"
	}
	return kind == "" || strings.Contains(kind, "json") || strings.Contains(kind, "xml") || strings.Contains(kind, "javascript") || kind == formType
}
