package target

import (
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

// streamMessage is one of a stream, as far as the bus looks at it.
type streamMessage struct {
	jetstream.Msg
	subject  string
	sequence uint64
}

func (m *streamMessage) Subject() string { return m.subject }
func (m *streamMessage) Data() []byte    { return []byte{} }
func (m *streamMessage) Metadata() (*jetstream.MsgMetadata, error) {
	return &jetstream.MsgMetadata{Sequence: jetstream.SequencePair{Stream: m.sequence}}, nil
}

// TestAJetStreamNodeThatMissedSomethingSaysNoMore: a number that it is not sure of is worse than none.
func TestAJetStreamNodeThatMissedSomethingSaysNoMore(t *testing.T) {
	t.Parallel()
	var complaints, got []string
	b := &JetStreamBus{
		nats: &NATSBus{subject: "holobench.test."},
		o:    BrokerOptions{Trouble: func(err error) { complaints = append(complaints, err.Error()) }},
	}
	gate := &busGate{receive: func(m BusMessage) { got = append(got, fmt.Sprint(m.Channel, " ", m.Sequence)) }}
	numbers := &streamNumbers{channels: map[string]uint64{}}
	for _, m := range []streamMessage{
		{sequence: 1, subject: "holobench.test." + channelSubject("a")},
		{sequence: 2, subject: "holobench.test.event.no node says that!"},
		{sequence: 3, subject: "holobench.test." + channelSubject("b")},
		{sequence: 4, subject: "holobench.test." + channelSubject("a")},
		{sequence: 6, subject: "holobench.test." + channelSubject("a")},
		{sequence: 7, subject: "holobench.test." + channelSubject("b")},
	} {
		b.take(&m, numbers, gate)
	}
	if want := []string{"a 1", "b 1", "a 2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := []string{errBusBroken.Error()}; !slices.Equal(complaints, want) {
		t.Errorf("complained %q, want %q", complaints, want)
	}
	if err := b.Publish("a", nil); err != errBusBroken { //nolint:errorlint // it is the very one
		t.Errorf("a broken bus took a message: %v", err)
	}
}

// TestAJetStreamNodeThatComesTooLateIsRefused: where the beginning of the stream is gone nobody can count.
func TestAJetStreamNodeThatComesTooLateIsRefused(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the broker did not start")
	}
	o := BrokerOptions{URL: "nats://127.0.0.1:4222", Name: "late", Node: 1, Dial: func(string, string) (net.Conn, error) { return s.InProcessConn() }}
	b, err := DialJetStream(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan uint64, 4)
	stop, err := b.Subscribe(func(m BusMessage) { heard <- m.Sequence })
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.Publish("room", nil); err != nil {
			t.Fatal(err)
		}
		<-heard
	}
	if err := b.stream.Purge(t.Context(), jetstream.WithPurgeSequence(2)); err != nil {
		t.Fatal(err)
	}
	o.Node = 2
	late, err := DialJetStream(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.Subscribe(func(BusMessage) {}); err != errBusLate { //nolint:errorlint // it is the very one
		t.Errorf("a node that came too late: %v", err)
	}
	late.Close()
	if err := b.Publish("room", nil); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != 3 {
		t.Errorf("the node that was there numbers on with %d, want 3", got)
	}
	stop()
	b.Close() // it is the last: the stream goes with it
	again, err := DialJetStream(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if stop, err = again.Subscribe(func(m BusMessage) { heard <- m.Sequence }); err != nil {
		t.Fatalf("after the last node had gone: %v", err)
	}
	stop()
}

// FuzzSubject: every channel has a subject of its own, and what is no subject of ours is refused.
func FuzzSubject(f *testing.F) {
	for _, seed := range []string{"", "room", "ask", "event.", "event.cm9vbQ", "event.cm9vbR", "event.*", "a.b > c\n", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if back, err := subjectChannel(channelSubject(text)); err != nil || back != text {
			t.Errorf("channel %q came back as %q, %v", text, back, err)
		}
		if channel, err := subjectChannel(text); err == nil && channelSubject(channel) != text {
			t.Errorf("subject %q is channel %q, whose subject is %q", text, channel, channelSubject(channel))
		}
		senderOf([]byte(text)) // must not fail on anything
	})
}
