package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"holobench/history"
	"holobench/wire"
	"holobench/wire/hologram"
	"holobench/wire/http1"
	"holobench/wire/sse"
)

// hologramPagePath is the page of the bundled target, which subscribes to the channels of its query.
const hologramPagePath = "/hologram/room"

// hologramProtocol is the wire of Hologram v0.9 to v0.11. A client is one load of a page, which both halves share: its
// cookie, its token against forgery, its instance and its receipts. Whichever half comes first loads it, over its own
// connection.
type hologramProtocol struct {
	client  *Client
	loading chan struct{} // holds a token while nobody loads the page; who has it may use page
	page    *hologramPage // nil = not loaded yet, or lost
}

// hologramPage is what a page has told its client. All of it is secret, and leaves this file for the server only.
type hologramPage struct {
	hologram.Page
	cookie string // value of the field Cookie; "" = none
}

func newHologramProtocol(c *Client) *hologramProtocol {
	p := &hologramProtocol{client: c, loading: make(chan struct{}, 1)}
	p.loading <- struct{}{}
	return p
}

// receiver implements protocol.
func (p *hologramProtocol) receiver(s *stream) receiver {
	r := &hologramReceiver{eventStream: eventStream{stream: s}, protocol: p}
	r.of, r.naming = r, hologramName
	r.jitter = rand.New(rand.NewPCG(uint64(s.crowd.Run), uint64(s.id)))
	return r
}

// sender implements protocol.
func (p *hologramProtocol) sender(giveUp context.Context) sender {
	return newPoster(giveUp, p.client, p.words())
}

// words implements overHTTP2.
func (p *hologramProtocol) words() phrasing { return &hologramPhrasing{protocol: p} }

// joins implements protocol: a command needs a page, and no stream.
func (p *hologramProtocol) joins() bool { return false }

// get returns the page, which it loads over conn when there is none.
func (p *hologramProtocol) get(ctx context.Context, conn wire.StampedConn, channels []string) (*hologramPage, error) {
	select {
	case <-p.loading:
		defer func() { p.loading <- struct{}{} }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if p.page != nil {
		return p.page, nil
	}
	target, err := p.pageTarget(channels)
	if err != nil {
		return nil, err
	}
	a, err := p.client.crowd.exchange(ctx, conn, http1.Request{
		Method: http.MethodGet, Target: target, Header: append([]http1.Field{{Name: "Accept", Value: "text/html"}}, p.client.cookies()...),
	})
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, &RefusedError{Status: a.status}
	}
	page, err := hologram.ParsePage(a.body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errForeignBytes, err)
	}
	var jar []string
	for _, cookie := range a.cookies {
		jar = append(jar, cookie.Name+"="+cookie.Value)
	}
	p.page = &hologramPage{Page: page, cookie: strings.Join(jar, "; ")}
	if cookie, kept := p.cookiesOf(a.cookies); kept {
		p.page.cookie = cookie
	}
	return p.page, nil
}

// lose forgets the page, so that the next who needs one loads it anew, as a browser does whose receipts nobody takes.
func (p *hologramProtocol) lose(page *hologramPage) {
	<-p.loading
	if p.page == page {
		p.page = nil
	}
	p.loading <- struct{}{}
}

// renew forgets the page for one of other channels: this wire has no way to change those of a page.
func (p *hologramProtocol) renew() {
	<-p.loading
	p.page = nil
	p.loading <- struct{}{}
}

// fields are the header fields of a request of this page.
func (page *hologramPage) fields(more ...http1.Field) []http1.Field {
	if page.cookie != "" {
		more = append(more, http1.Field{Name: "Cookie", Value: page.cookie})
	}
	return more
}

// hologramReceiver holds the stream of a page. Hologram's client takes no reconnect of the browser's: each connection has a
// handshake of its own, and nothing is sent again.
type hologramReceiver struct {
	eventStream
	protocol *hologramProtocol
	page     *hologramPage // of the connection at hand
	jitter   *rand.Rand
	failed   int // connections in a row that were no stream, and the one that is over
}

// begin implements receiver: page, handshake, stream.
func (r *hologramReceiver) begin(ctx context.Context, conn wire.StampedConn) error {
	r.reset()
	page, err := r.protocol.get(ctx, conn, r.names)
	if err != nil {
		return r.judge(err)
	}
	r.page = page
	id, err := r.handshake(ctx, conn)
	if err != nil {
		return r.judge(err)
	}
	query := url.Values{hologram.InstanceParam: {page.InstanceID}, hologram.HandshakeParam: {id}}
	fields := page.fields(http1.Field{Name: "Accept", Value: "text/event-stream"}, http1.Field{Name: "Cache-Control", Value: "no-cache"})
	return r.askFor(conn, http1.Request{
		Method: http.MethodGet, Target: hologram.EventsPath + "?" + query.Encode(), Host: r.crowd.host(),
		Header: append(fields, r.crowd.Header...),
	})
}

// handshake turns the receipts of the page into an id that opens a stream.
func (r *hologramReceiver) handshake(ctx context.Context, conn wire.StampedConn) (id string, err error) {
	page := r.page
	var tokens []string
	for _, receipt := range page.Receipts {
		tokens = append(tokens, receipt.Token)
	}
	a, err := r.crowd.exchange(ctx, conn, http1.Request{
		Method: http.MethodPost, Target: hologram.HandshakePath,
		Header: page.fields(http1.Field{Name: "Content-Type", Value: "application/json"}),
		Body:   hologram.AppendHandshake(nil, hologram.Handshake{InstanceID: page.InstanceID, Receipts: tokens}),
	})
	if err != nil {
		return "", err
	}
	if a.status != http.StatusOK {
		r.protocol.lose(page)
		return "", &RefusedError{Status: a.status}
	}
	reply, err := hologram.ParseHandshakeReply(a.body)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errForeignBytes, err)
	}
	if len(tokens) > 0 && len(reply.Receipts) == 0 {
		r.protocol.lose(page)
		return "", errSessionLost
	}
	page.Receipts = reply.Receipts // the other half does not look at them
	return reply.HandshakeID, nil
}

// feed implements receiver.
func (r *hologramReceiver) feed(b []byte) error { return r.judge(r.eventStream.feed(b)) }

// judge says of a refusal whether it is final: it is until the client was subscribed once. Hologram's own client never gives
// up; but a load on a server that does not speak this wire should end.
func (r *hologramReceiver) judge(err error) error {
	refused, ok := errors.AsType[*RefusedError](err)
	if !ok {
		return err
	}
	if refused.Status == http.StatusUnauthorized && r.page != nil {
		r.protocol.lose(r.page)
	}
	refused.again = r.welcome
	return refused
}

// over implements receiver.
func (r *hologramReceiver) over(error) {
	if r.subscribed > 0 {
		r.failed = 0
	}
	r.failed++
}

// pause implements receiver: 250 ms, twice as long each time up to 5 s, a quarter more or less.
func (r *hologramReceiver) pause() time.Duration {
	wait := 5 * time.Second
	if n := max(0, r.failed-1); n < 5 {
		wait = min(wait, 250*time.Millisecond<<n)
	}
	return time.Duration(float64(wait) * (0.75 + r.jitter.Float64()/2))
}

// event notes one event of the stream. Its id is no number of the event: a node counts all that it sends to anybody.
func (r *hologramReceiver) event(e *sse.Event) {
	if string(e.Name) != hologram.Broadcast && string(e.Name) != hologram.Action {
		r.heartbeat(0, "") // of receipts, which the next handshake brings anew
		return
	}
	r.delivered(history.SSE, r.slotOf(e.Data), hologramSequence(e.Data), e.Data)
}

// slotOf finds the channel of an event: it needs to look only when the client has more than one.
func (r *hologramReceiver) slotOf(data []byte) int {
	if len(r.channels) == 1 {
		return 0
	}
	name, ok := hologram.BroadcastChannel(data)
	if !ok {
		return -1
	}
	return r.slot(name)
}

// hologramSequence finds the number that an event bears among its params; 0 = none. No text within the event can be taken for it:
// there every quote stands behind a backslash.
func hologramSequence(data []byte) uint64 {
	_, rest, found := bytes.Cut(data, []byte(`[Type.atom("seq"), Type.integer(`))
	if !found {
		return 0
	}
	number, _ := leadingNumber(rest)
	return number
}

// hologramPhrasing words commands as POST /hologram/command.
type hologramPhrasing struct {
	protocol *hologramProtocol
	page     *hologramPage // from which the next command comes
	body     []byte
	head     []http1.Field
	headOf   *hologramPage
}

// prepare implements phrasing. A client that only sends takes the page of the channel where it does first.
func (p *hologramPhrasing) prepare(ctx context.Context, conn wire.StampedConn, channel string) (err error) {
	channels := p.protocol.client.Channels()
	if len(channels) == 0 {
		if channel == "" {
			return nil
		}
		channels = []string{channel}
	}
	p.page, err = p.protocol.get(ctx, conn, channels)
	return err
}

// fields are those of a fetch: the session of the page.
func (p *hologramPhrasing) fields() []http1.Field {
	if p.page == nil {
		return nil
	}
	return p.page.fields()
}

// request implements phrasing.
func (p *hologramPhrasing) request(m *Message, payload []byte) http1.Request {
	crowd := p.protocol.client.crowd
	next := hologram.EventCommand{Instance: p.page.InstanceID, Channel: m.Channel, Name: m.Name, Payload: string(payload)}
	setParts(m.With, &next.Key, &next.ID, &next.Base) // the bundled page knows no others
	if app := crowd.Own.App; app != nil {
		p.word(app, m, payload)
	} else {
		p.body = hologram.AppendEventCommand(p.body[:0], next)
	}
	if p.headOf != p.page {
		p.head = append(p.page.fields(
			http1.Field{Name: "Content-Type", Value: "application/json"}, http1.Field{Name: hologram.CSRFHeader, Value: p.page.CSRFToken},
		), crowd.Header...)
		p.headOf = p.page
	}
	return http1.Request{
		Method: http.MethodPost, Target: hologram.CommandPath, Host: crowd.host(), Header: p.head, Body: p.body,
	}
}

// reply implements phrasing: the self-echoes are deliveries.
func (p *hologramPhrasing) reply(rows []history.Observation, echo history.Observation, body []byte) []history.Observation {
	crowd := p.protocol.client.crowd
	echoes, ok := hologram.ReplyEchoes(body)
	if !ok {
		rows[0].Err = crowd.reason(errProtocol)
		return rows
	}
	if _, _, any := wire.FindMarker(echoes); any {
		echo.Sequence = hologramSequence(bytes.ReplaceAll(echoes, []byte(`\"`), []byte(`"`)))
		rows = crowd.name(rows, &echo, echoes)
	}
	return rows
}
