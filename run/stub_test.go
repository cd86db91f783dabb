package run_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"holobench/run"
	"holobench/wire"
)

// stub is a server that takes commands, answers each when it wants to, and hands nothing out.
type stub struct {
	addr string
	http *http.Server
	done chan struct{}

	ending chan struct{}

	mu    sync.Mutex
	taken int
}

// startStub starts a stub; answer says, for a command that comes now, when it is answered.
func startStub(listen func(addr string) (net.Listener, error), addr string, answer func(now time.Time) time.Time) run.StartNode {
	return func(context.Context, run.NodeOptions) (run.Node, error) {
		listener, err := listen(addr)
		if err != nil {
			return nil, err
		}
		s := &stub{addr: listener.Addr().String(), done: make(chan struct{}), ending: make(chan struct{})}
		reply := wire.AppendReplyJSON(nil, wire.Reply{})
		s.http = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			s.mu.Lock()
			s.taken++
			at := answer(time.Now())
			s.mu.Unlock()
			select {
			case <-time.After(time.Until(at)):
				w.Write(reply)
			case <-s.ending:
			}
		})}
		go func() {
			defer close(s.done)
			s.http.Serve(listener)
		}()
		return s, nil
	}
}

func (s *stub) Addr() string                    { return s.addr }
func (s *stub) PID() int                        { return 1 }
func (s *stub) Done() <-chan struct{}           { return s.done }
func (s *stub) Exit() string                    { return "ended" }
func (s *stub) Journal() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(nil)), nil }

func (s *stub) Counters() (map[string]uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]uint64{"commands_accepted": uint64(s.taken)}, nil
}

func (s *stub) Stop(context.Context) error {
	close(s.ending)
	err := s.http.Close()
	<-s.done
	return err
}

// oneServer answers one command after the other, each after the same time of service: a queue with one server.
func oneServer(service time.Duration) func(now time.Time) time.Time {
	var free time.Time
	return func(now time.Time) time.Time {
		if free.Before(now) {
			free = now
		}
		free = free.Add(service)
		return free
	}
}
