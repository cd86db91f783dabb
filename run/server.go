package run

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"holobench/clients"
	"holobench/history"
	"holobench/scenarios"
	"holobench/wire/http1"
)

// serverOf is the server of the user's own that a file names; nil = it is the bundled target.
func serverOf(f *scenarios.File) *scenarios.Server {
	if f.Server.URL == nil {
		return nil
	}
	return &f.Server
}

// ownPromises is what the protocol of the server says of order, by the name of the guarantee; nil = nobody has described it.
func (p *Plan) ownPromises() map[string]string {
	protocol := &p.Server.Protocol
	if len(protocol.Promises) == 0 && protocol.SelfEcho == "" {
		return nil
	}
	promises := maps.Clone(protocol.Promises)
	if promises == nil {
		promises = make(map[string]string)
	}
	switch protocol.SelfEcho {
	case scenarios.EchoReply:
		promises["self_echo"] = "reply"
	case scenarios.EchoNone:
		promises["self_echo"] = ""
	default:
		promises["self_echo"] = p.down()
	}
	return promises
}

// down is the way by which events come from the server, in the words of the tag "path".
func (p *Plan) down() string {
	protocol := &p.Server.Protocol
	switch {
	case protocol.Wire == scenarios.ChannelsWire:
		return "websocket"
	case protocol.Wire == scenarios.LongPollWire, protocol.Generic != nil && protocol.Generic.Subscribe.Framing == scenarios.FrameLongPoll:
		return "poll"
	}
	return "sse"
}

// aim lets the clients find a server of the user's own, when there is one: a server that nobody answers at is told at once, and
// not when the wait for all streams is over.
func (x *execution) aim(ctx context.Context) error {
	s := x.plan.Server
	x.crowd.Addr, x.crowd.Host = addressOf(s.URL), s.URL.Host
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	conn, err := x.o.Dial(ctx, "tcp", x.crowd.Addr)
	if err != nil {
		return fmt.Errorf("reach the server at %s: %w", s.URL.Host, err)
	}
	conn.Close() //nolint:errcheck // nothing was said
	if s.URL.Scheme == "https" {
		x.crowd.TLS = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.Insecure} //nolint:gosec // the user asked for it by name
	}
	x.crowd.Header = withUserAgent(x.crowd.Header, x.agent())
	x.crowd.Own = clients.Own{
		Prefix: s.URL.Path, Login: stepsOf(s.Login), Teardown: stepsOf(s.Teardown), Know: x.know,
	}
	if app := s.Protocol.App; app != nil {
		x.crowd.Own.App = appOf(app)
	}
	if g := s.Protocol.Generic; g != nil {
		x.crowd.Own.Generic, x.crowd.Own.Tokens, x.crowd.Own.NoCookies = genericOf(&s.Protocol, s.URL), tokensOf(g), !g.Cookies
		x.joinReplies()
	}
	return nil
}

// addressOf is where a connection to that place goes.
func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// withUserAgent says who asks, so that whoever reads the server's log knows it; a name that the user gives goes before.
func withUserAgent(fields []http1.Field, name string) []http1.Field {
	for _, f := range fields {
		if strings.EqualFold(f.Name, "User-Agent") {
			return fields
		}
	}
	return append(slices.Clip(fields), http1.Field{Name: "User-Agent", Value: name})
}

// know is what a template may name of a client beside what the client itself has found.
func (x *execution) know(dst []byte, client uint32, name string) (out []byte, ok bool) {
	number := int(client)
	for group := range x.plan.Groups {
		count := x.plan.Groups[group].Count
		if number >= count {
			number -= count
			continue
		}
		if out, ok := x.clientWord(dst, name, group, number); ok {
			return out, true
		}
		return x.dataWord(dst, name, x.turn("", group, number, count, 0), make(map[string][]string))
	}
	return dst, false
}

// The limits of the beginning and the end of a run at a server of the user's own.
const (
	reachTime  = 10 * time.Second
	leaveTime  = 15 * time.Second
	leaveLanes = 32 // clients that leave at the same time
)

// leave lets every client make the requests of its teardown, however the run ended.
func (x *execution) leave() {
	if x.plan.Server == nil || len(x.plan.Server.Teardown) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	var mu sync.Mutex
	var first error
	failed := 0
	next := make(chan *clients.Client)
	var lanes sync.WaitGroup
	for range leaveLanes {
		lanes.Go(func() {
			for c := range next {
				if err := c.Leave(ctx); err != nil {
					mu.Lock()
					failed++
					if first == nil {
						first = err
					}
					mu.Unlock()
				}
			}
		})
	}
	for _, c := range x.everybody {
		next <- c
	}
	close(next)
	lanes.Wait()
	if first == nil {
		return
	}
	warning := fmt.Sprintf("the teardown of %d clients failed, the first by this: %v", failed, first)
	x.save(func(r *history.Run) { r.Warnings = append(r.Warnings, warning) }) //nolint:errcheck // what cannot be written is told by the save that follows
}
