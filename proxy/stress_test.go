package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"holobench/proxy"
)

// TestNothingIsLostWhileFaultsComeAndGo sets and clears faults that only delay and cut, on connections that carry as much as they can in both ways. All
// bytes arrive, in their order, and nothing hangs.
func TestNothingIsLostWhileFaultsComeAndGo(t *testing.T) {
	t.Parallel()
	behind, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()
	proxies, err := proxy.New(proxy.Options{Seed: 1, Listen: net.Listen, Dial: new(net.Dialer).DialContext})
	if err != nil {
		t.Fatal(err)
	}
	defer proxies.Close()
	one, err := proxies.Create(proxy.Settings{Name: "app", Listen: "127.0.0.1:0", Upstream: behind.Addr().String(), Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	go func() { // an echo
		for {
			conn, err := behind.Accept()
			if err != nil {
				return
			}
			go io.Copy(conn, conn)
		}
	}()
	var done sync.WaitGroup
	for i := range 20 {
		done.Go(func() {
			if err := echoes(one.Settings().Listen, uint64(i), 300_000); err != nil {
				t.Errorf("connection %d: %v", i, err)
			}
		})
	}
	over := make(chan struct{})
	var changing sync.WaitGroup
	changing.Go(func() { comeAndGo(t, one, over) })
	done.Wait()
	close(over)
	changing.Wait()
}

// comeAndGo sets and clears faults until over.
func comeAndGo(t *testing.T, one *proxy.Proxy, over <-chan struct{}) {
	kinds := []struct{ kind, attributes string }{
		{"latency", `{"latency":3,"jitter":2}`},
		{"slicer", `{"average_size":700,"size_variation":300}`},
		{"stall", `{}`},
		{"buffer", `{"bytes":5000,"for":3}`},
		{"loss", `{"rate":0.01,"timeout":5}`},
		{"bandwidth", `{"rate":100000}`},
		{"delay", `{"by":{"p50":1,"p99":9}}`},
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	luck := rand.New(rand.NewPCG(1, 2))
	set := make(map[string]bool)
	defer one.Clear()
	for {
		select {
		case <-tick.C:
		case <-over:
			return
		}
		k := kinds[luck.IntN(len(kinds))]
		stream := []string{"downstream", "upstream", "both"}[luck.IntN(3)]
		name := k.kind + stream
		if set[name] {
			if err := one.Remove(name); err != nil {
				t.Error(err)
			}
		} else if _, err := one.Add(proxy.Toxic{Name: name, Type: k.kind, Stream: stream, Toxicity: 0.7, Attributes: []byte(k.attributes)}); err != nil {
			t.Error(err)
		}
		set[name] = !set[name]
	}
}

// echoes sends drawn bytes and expects them back.
func echoes(addr string, seed uint64, size int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	luck := rand.New(rand.NewPCG(seed, 0))
	sent := make([]byte, size)
	for i := range sent {
		sent[i] = byte(luck.Uint32())
	}
	go func() {
		for rest := sent; len(rest) > 0; {
			n := min(len(rest), 1+luck.IntN(5000))
			if _, err := conn.Write(rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
	}()
	got := make([]byte, size)
	n, err := io.ReadFull(conn, got)
	if err != nil || !bytes.Equal(got, sent) {
		return fmt.Errorf("%d of %d bytes came back, %w, the same: %v", n, size, err, bytes.HasPrefix(sent, got[:n]))
	}
	return nil
}
