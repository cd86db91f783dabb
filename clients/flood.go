package clients

import (
	"context"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"holobench/history"
	"holobench/wire"
)

// FloodOptions describe a plain POST load without streams and without order.
type FloodOptions struct {
	Client   uint32 // its number in the run: the publisher of its events
	Message  Message
	Arrivals *Arrivals                   // its schedule
	Length   time.Duration               // of the schedule
	Workers  uint64                      // 0 = 10
	Observe  func([]history.Observation) // nil = that of the Crowd
	Timeout  time.Duration               // of one request; 0 = 30 s
}

// Flood posts commands by vegeta's Attacker until its schedule is over or ctx ends. vegeta shares its connections among
// its workers and counts latency from the actual send: a late start is not part of it, and its stamps are those of this
// process. The figures of a flood are therefore kept apart from those of the clients, and none of them is about order.
func (c *Crowd) Flood(ctx context.Context, o FloodOptions) error {
	if o.Workers == 0 {
		o.Workers = 10
	}
	if o.Observe == nil {
		o.Observe = c.Observe
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!c.HTTP2)
	protocols.SetHTTP2(c.HTTP2)
	protocols.SetUnencryptedHTTP2(c.HTTP2)
	client := &http.Client{
		Timeout: or(o.Timeout, 30*time.Second),
		Transport: &http.Transport{
			Protocols: protocols, DialContext: c.Dial, TLSClientConfig: c.TLS, MaxIdleConnsPerHost: int(o.Workers) * 10, //nolint:gosec // bounded by the plan
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	attacker := vegeta.NewAttacker(vegeta.Client(client), vegeta.Workers(o.Workers), vegeta.MaxWorkers(o.Workers*10), vegeta.MaxBody(maxReply))
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	for r := range attacker.Attack(c.floodTargets(o), &schedule{arrivals: o.Arrivals}, o.Length+lateHits, "flood") {
		began := r.Timestamp.UnixNano() - c.Epoch
		sent := history.Observation{
			Kind: history.Sent, Client: o.Client, Load: o.Message.Load, Due: began, NotBefore: began, At: began, Handled: began,
			Event: wire.EventID{Publisher: o.Client, Seq: uint32(r.Seq) + 1}, //nolint:gosec // bounded by the plan
		}
		replied := sent
		replied.Kind, replied.Path = history.Replied, history.Reply
		replied.At = began + int64(r.Latency)
		replied.NotBefore, replied.Handled = replied.At, replied.At
		switch {
		case r.Code == 0:
			replied.Kind, replied.Err = history.Unknown, c.reason(errUnknownCause)
		case r.Code < 200 || r.Code > 299:
			replied.Err = c.reason(statusText(int(r.Code)))
		}
		o.Observe([]history.Observation{sent, replied})
	}
	return nil
}

// lateHits is how long after the end of its schedule a flood may still send what was due by then. vegeta ends an attack when its time
// is over, also when the last hits are still to go because the machine is busy, and would tell nobody of them.
const lateHits = time.Second

// floodTargets makes the same command over and over. It bears no marker, because vegeta does not tell a Targeter which
// hit it serves: an event with the wrong name would be worse than one without.
func (c *Crowd) floodTargets(o FloodOptions) vegeta.Targeter {
	header := http.Header{"Content-Type": {"application/json"}, "Host": {c.host()}}
	for _, f := range c.Header {
		header.Add(f.Name, f.Value)
	}
	scheme := "http://"
	if c.TLS != nil {
		scheme = "https://"
	}
	payload := []byte(o.Message.Text)
	for len(payload) < o.Message.Size {
		payload = append(payload, 'x')
	}
	body := wire.AppendCommandJSON(nil, wire.Command{Channel: o.Message.Channel, Name: o.Message.Name, Payload: string(payload)})
	return func(t *vegeta.Target) error {
		addr := c.Addr
		if c.Place != nil {
			addr = c.Place(o.Client, ForCommand).Addr
		}
		t.Method, t.URL, t.Header = http.MethodPost, scheme+addr+wire.CommandPath, header.Clone()
		t.Body = body
		return nil
	}
}

// schedule lets vegeta walk Arrivals: a hit whose due time has passed goes at once.
type schedule struct {
	arrivals *Arrivals
	next     time.Duration
	served   uint64
	over     bool
}

// Pace implements vegeta.Pacer. vegeta asks again for the same hit after a wait.
func (s *schedule) Pace(elapsed time.Duration, hits uint64) (wait time.Duration, stop bool) {
	for !s.over && s.served <= hits {
		due, ok := s.arrivals.Next()
		s.next, s.over = due, !ok
		s.served++
	}
	return max(0, s.next-elapsed), s.over
}

// Rate implements vegeta.Pacer; vegeta itself uses it for nothing but its own reports.
func (s *schedule) Rate(time.Duration) float64 { return 0 }
