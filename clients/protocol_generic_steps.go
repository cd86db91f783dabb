package clients

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"holobench/wire"
	"holobench/wire/http1"
)

// StepError says that a request by which a client gets ready was not answered as it must be. It names no part of the answer,
// which may be a secret.
type StepError struct {
	Where  string // the request
	Status int    // of the answer; 0 = there was none that could be read
	Missed string // the name that nothing was found for; "" = it is the status
	Cause  error  // why there was no answer; nil = there was one
}

// Error implements error.
func (e *StepError) Error() string {
	switch {
	case e.Cause != nil:
		return fmt.Sprintf("%s: %v", e.Where, e.Cause)
	case e.Missed != "" && e.Status == 0:
		return fmt.Sprintf("%s: nothing is known under the name %q yet", e.Where, e.Missed)
	case e.Missed != "":
		return fmt.Sprintf("%s: the answer (status %d) has nothing for the name %q", e.Where, e.Status, e.Missed)
	}
	return fmt.Sprintf("%s: the server answered with status %d", e.Where, e.Status)
}

// Unwrap returns why there was no answer.
func (e *StepError) Unwrap() error { return e.Cause }

// visit is a row of requests of one client, over a connection of their own that is made when it is needed.
type visit struct {
	browser *browser
	conn    wire.StampedConn
	to      string // where conn goes: scheme://host:port
}

// steps makes requests one after the other. Their connection is closed behind them: thousands of clients that have nothing to
// ask hold none.
func (b *browser) steps(ctx context.Context, steps []Step) error {
	if len(steps) == 0 {
		return nil
	}
	v := &visit{browser: b}
	defer v.close()
	for i := range steps {
		if err := v.step(ctx, &steps[i]); err != nil {
			return err
		}
	}
	return nil
}

func (v *visit) close() {
	if v.conn != nil {
		v.conn.Close() //nolint:errcheck // its answer was read
		v.conn = nil
	}
}

// step makes one request, and those that redirects ask for.
func (v *visit) step(ctx context.Context, s *Step) error {
	request, to, err := v.browser.request(s, v.browser.name)
	if err != nil {
		return err
	}
	for range maxMoves {
		a, err := v.ask(ctx, request, to)
		if err != nil {
			return &StepError{Where: s.Where, Cause: err}
		}
		v.browser.eat(to, a.cookies)
		next := redirect(&request, to, a)
		if next == nil || s.Stay {
			return v.answered(s, a)
		}
		to = next
	}
	return &StepError{Where: s.Where, Cause: fmt.Errorf("%w: more than %d redirects", errForeignBytes, maxMoves)}
}

// answered judges an answer and keeps what is wanted of it.
func (v *visit) answered(s *Step, a *answer) error {
	if !s.Takes(a.status) {
		return &StepError{Where: s.Where, Status: a.status}
	}
	if missed := v.browser.keep(s.Captures, a.body, a.fields); missed != "" {
		return &StepError{Where: s.Where, Status: a.status, Missed: missed}
	}
	return nil
}

// ask sends one request. A connection that the server closed meanwhile is made anew, once.
func (v *visit) ask(ctx context.Context, r http1.Request, to *url.URL) (*answer, error) {
	c := v.browser.client
	r.Target, r.Host, r.Header = to.RequestURI(), to.Host, c.header(slices.Clip(r.Header), to)
	place := to.Scheme + "://" + to.Host
	for fresh := false; ; {
		if v.conn == nil || v.to != place {
			v.close()
			conn, err := c.crowd.connectTo(ctx, to)
			if err != nil {
				return nil, err
			}
			v.conn, v.to, fresh = conn, place, true
		}
		a, closes, err := c.crowd.roundTrip(ctx, v.conn, r)
		if err != nil || closes {
			v.close()
		}
		if err == nil || fresh || ctx.Err() != nil {
			return a, err
		}
	}
}

// redirect is where an answer sends a request, which it changes as a browser does; nil = nowhere.
func redirect(r *http1.Request, from *url.URL, a *answer) *url.URL {
	location := ""
	for _, f := range a.fields {
		if strings.EqualFold(f.Name, "Location") {
			location = f.Value
		}
	}
	switch a.status {
	case http.StatusSeeOther:
	case http.StatusMovedPermanently, http.StatusFound:
		if r.Method != http.MethodPost {
			break
		}
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	to, err := from.Parse(location)
	if err != nil || location == "" || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return nil
	}
	if a.status == http.StatusSeeOther || a.status < 303 && r.Method == http.MethodPost {
		r.Method, r.Body = http.MethodGet, nil
		r.Header = withoutBodyFields(r.Header)
	}
	return to
}

func withoutBodyFields(fields []http1.Field) []http1.Field {
	var kept []http1.Field
	for _, f := range fields {
		if !strings.EqualFold(f.Name, "Content-Type") {
			kept = append(kept, f)
		}
	}
	return kept
}

// request words a step. Host and the fields of the client are the caller's matter. The error is a *StepError: something that it
// names is not known, or it leads nowhere.
func (b *browser) request(s *Step, names Names) (r http1.Request, to *url.URL, err error) {
	missing := ""
	text := func(t Text) string {
		if t == nil {
			return ""
		}
		out, missed := t(nil, names)
		if missing == "" {
			missing = missed
		}
		return string(out)
	}
	r.Method = s.Method
	address := text(s.URL)
	for _, f := range s.Fields {
		r.Header = append(r.Header, http1.Field{Name: f.Name, Value: oneLine(text(f.Value))})
	}
	if s.Form != nil {
		form := make(url.Values)
		for _, f := range s.Form {
			form.Add(f.Name, text(f.Value))
		}
		r.Body = []byte(form.Encode())
	} else if s.Body != nil {
		r.Body = []byte(text(s.Body))
	}
	if missing != "" {
		return r, nil, &StepError{Where: s.Where, Missed: missing}
	}
	if to, err = b.client.crowd.resolve(address); err != nil {
		return r, nil, &StepError{Where: s.Where, Cause: err}
	}
	return r, to, nil
}

// oneLine keeps what came from elsewhere from being taken for header fields of its own.
func oneLine(value string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return ' '
		}
		return r
	}, value)
}

// resolve is where a path or an address leads to.
func (c *Crowd) resolve(text string) (*url.URL, error) {
	origin := c.origin()
	if strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") {
		text = origin.Scheme + "://" + origin.Host + c.Own.Prefix + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%w: what it is to be sent to is no address", errForeignBytes)
	}
	return u, nil
}

// connectTo makes a connection to any server.
func (c *Crowd) connectTo(ctx context.Context, to *url.URL) (wire.StampedConn, error) {
	origin := c.origin()
	if to.Scheme == origin.Scheme && to.Host == origin.Host {
		return c.connect(ctx, c.Addr)
	}
	port := to.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[to.Scheme]
	}
	other := &Crowd{Names: c.Names, Addr: net.JoinHostPort(to.Hostname(), port), Host: to.Host, Dial: c.Dial, DialTimeout: c.DialTimeout}
	if to.Scheme == "https" {
		other.TLS = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.TLS != nil && c.TLS.InsecureSkipVerify} //nolint:gosec // only where the user believes anybody
	}
	return other.connect(ctx, other.Addr)
}
