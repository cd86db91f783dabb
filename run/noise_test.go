package run_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/clients"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/wire"
)

// noiseRole makes this test binary the peer of the noise probe: a process of its own, as in a run.
const noiseRole = "HOLOBENCH_TEST_NOISE_PEER"

func TestMain(m *testing.M) {
	if os.Getenv(noiseRole) == "" {
		os.Exit(m.Run())
	}
	if err := serveNoise(); err != nil {
		fmt.Fprintln(os.Stderr, "noise peer:", err)
		os.Exit(1)
	}
}

// serveNoise prints its address and serves until its stdin closes.
func serveNoise() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt)
	defer end()
	fmt.Println(listener.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		end()
	}()
	return (&run.NoisePeer{Pause: run.Nanosleep()}).Serve(ctx, listener)
}

// startNoiseProcess is a run.StartNoisePeer: this test binary once more.
func startNoiseProcess(ctx context.Context) (addr string, stop func() error, err error) {
	c := exec.CommandContext(ctx, os.Args[0])
	c.Env = append(os.Environ(), noiseRole+"=1")
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := c.Start(); err != nil {
		return "", nil, err
	}
	stop = func() error {
		in.Close()
		return c.Wait()
	}
	addr, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", nil, errors.Join(err, stop())
	}
	return strings.TrimSpace(addr), stop, nil
}

// startNoiseInBubble is a run.StartNoisePeer on a network in memory, where no time passes but in pauses.
func startNoiseInBubble(network *memnet.Network) run.StartNoisePeer {
	return func(ctx context.Context) (string, func() error, error) {
		listener, err := network.Listen("peer:80")
		if err != nil {
			return "", nil, err
		}
		ctx, end := context.WithCancel(ctx)
		over := make(chan error, 1)
		go func() { over <- new(run.NoisePeer).Serve(ctx, listener) }()
		return "peer:80", func() error {
			end()
			return <-over
		}, nil
	}
}

func sum(c run.NoiseCount) int { return c.Right + c.Wrong + c.Tied }

// checkNoise checks what holds for every measurement: all pairs were judged, and none is in the wrong order by intervals.
func checkNoise(t *testing.T, n run.Noise, pairs int) {
	t.Helper()
	if n.Pairs != pairs || n.Missing != 0 || n.Overlapping != 0 {
		t.Errorf("%d pairs judged, %d missing, %d overlapping; want %d, 0, 0", n.Pairs, n.Missing, n.Overlapping, pairs)
	}
	if sum(n.Intervals) != n.Pairs || sum(n.Kernel) != n.Pairs || sum(n.User) != n.Pairs {
		t.Errorf("the counts do not add up to %d: %+v", n.Pairs, n)
	}
	if n.Intervals.Wrong != 0 {
		t.Errorf("%d pairs are in the wrong order by intervals", n.Intervals.Wrong)
	}
	for _, w := range n.Wrong {
		t.Log(w)
	}
}

// In a bubble stamps are exact and a late reader is late for a drawn time and no other: what is wrong there is wrong by
// the rule, not by the weather.
func TestNoiseInABubble(t *testing.T) {
	t.Parallel()
	for _, messages := range []int{1, 2, 5} {
		for _, delay := range []time.Duration{0, 20 * time.Millisecond} {
			t.Run(fmt.Sprintf("messages %d, delay %v", messages, delay), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					network := memnet.New(nil)
					n, err := run.MeasureNoise(t.Context(), run.NoiseOptions{
						StartPeer: startNoiseInBubble(network), Dial: network.DialContext,
						Seed: 7, Pairs: 2000, Clients: 10, Messages: messages, ReaderDelay: delay,
					})
					if err != nil {
						t.Fatal(err)
					}
					checkNoise(t, n, 2000)
					idle := delay == 0
					if idle && (n.Intervals.Right != n.Pairs || n.User.Right != n.Pairs) {
						t.Errorf("a reader that is never late puts all in order: %+v", n)
					}
					// The control: the same pairs are out of order by the stamps that are not to be trusted.
					if !idle && (n.User.Wrong < 200 || n.Kernel.Wrong < 20 || n.Intervals.Tied < n.Kernel.Wrong) {
						t.Errorf("a late reader left no trace: %+v", n)
					}
				})
			})
		}
	}
}

// lateStream is a harness that is wrong: it stamps what comes on a stream too late.
type lateStream struct {
	wire.StampedConn
	lag    time.Duration
	stream bool
}

func (l *lateStream) Write(p []byte) (int, error) {
	l.stream = l.stream || bytes.HasPrefix(p, []byte("GET "))
	return l.StampedConn.Write(p)
}

func (l *lateStream) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	n, notBefore, at, err = l.StampedConn.ReadStamped(p)
	if l.stream {
		notBefore, at = notBefore+int64(l.lag), at+int64(l.lag)
	}
	return n, notBefore, at, err
}

func TestNoiseFindsAnInventedOrder(t *testing.T) {
	t.Parallel()
	const lag, pairs = 300 * time.Microsecond, 2000
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(nil)
		n, err := run.MeasureNoise(t.Context(), run.NoiseOptions{
			StartPeer: startNoiseInBubble(network), Pairs: pairs, Clients: 10,
			Dial: func(ctx context.Context, kind, addr string) (net.Conn, error) {
				conn, err := network.DialContext(ctx, kind, addr)
				if err != nil {
					return nil, err
				}
				return &lateStream{StampedConn: clients.Stamped(conn), lag: lag}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		// The stream comes first in half of the pairs, and its gap is below the lag in 30 % of those.
		if n.Pairs != pairs || n.Intervals.Wrong < pairs*12/100 || n.Intervals.Wrong > pairs*18/100 || n.Kernel.Wrong != n.Intervals.Wrong {
			t.Errorf("a lag of %v on the stream: %+v", lag, n)
		}
		// The margin is what the lag leaves of the gap: all of it where the gap is next to nothing.
		if n.Floor() > lag || n.Floor() < lag*9/10 {
			t.Errorf("the noise floor is %v, want the lag of %v or just below", n.Floor(), lag)
		}
		if len(n.Wrong) == 0 || len(n.Wrong) > 10 {
			t.Fatalf("%d pairs are kept as evidence", len(n.Wrong))
		}
		for _, w := range n.Wrong {
			first, second := w.First, w.Second
			if first.End > second.Begin || w.FirstSeen.At <= w.SecondSeen.At || w.FirstSeen.Path == w.SecondSeen.Path {
				t.Errorf("this proves nothing: %v", w)
			}
		}
	})
}

func TestNoiseOnSockets(t *testing.T) {
	t.Parallel()
	for _, delay := range []time.Duration{0, 5 * time.Millisecond} {
		n, err := run.MeasureNoise(t.Context(), run.NoiseOptions{
			StartPeer: startNoiseProcess, Dial: new(net.Dialer).DialContext, Pairs: 400, Clients: 8, Messages: 2, ReaderDelay: delay,
		})
		if err != nil {
			t.Fatal(err)
		}
		checkNoise(t, n, 400)
		logNoise(t, fmt.Sprintf("delay %v", delay), n)
	}
}

func TestBriefNoiseIsBrief(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(nil)
		o := run.BriefNoise()
		o.StartPeer, o.Dial, o.MaxGap = startNoiseInBubble(network), network.DialContext, 100*time.Millisecond // too slow for all pairs
		began := time.Now()
		n, err := run.MeasureNoise(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		checkNoise(t, n, n.Pairs)
		if took := time.Since(began); took > 2*time.Second || took < o.Limit || n.Pairs == 0 || n.Pairs >= o.Pairs {
			t.Errorf("%d pairs of %d took %v", n.Pairs, o.Pairs, took)
		}
	})
}

func TestNoiseThatCannotBeMeasured(t *testing.T) {
	t.Parallel()
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no way there") }
	start := func(err error) run.StartNoisePeer {
		return func(context.Context) (string, func() error, error) {
			return "peer:80", func() error { return nil }, err
		}
	}
	for _, c := range []struct {
		o    run.NoiseOptions
		want string
	}{
		{run.NoiseOptions{Dial: dial}, "measure the noise: NoiseOptions need StartPeer and Dial"},
		{run.NoiseOptions{Dial: dial, StartPeer: start(nil), Messages: 17}, "measure the noise: 17 messages a pair, at most 16 are possible"},
		{run.NoiseOptions{Dial: dial, StartPeer: start(errors.New("no such file"))}, "start the peer of the noise probe: no such file"},
		{run.NoiseOptions{Dial: dial, StartPeer: start(nil), Clients: 3}, "measure the noise: after 30s not all of 3 clients were subscribed"},
	} {
		synctest.Test(t, func(t *testing.T) {
			if _, err := run.MeasureNoise(t.Context(), c.o); err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// logNoise prints one row of the table.
func logNoise(t *testing.T, row string, n run.Noise) {
	t.Helper()
	intervals, kernel, user := n.WrongShares()
	t.Logf("%-46s %6d pairs, %6.3f %% tied; wrong by intervals %d (%.3f %%), by kernel stamp %6.3f %%, by user stamp %6.3f %%; TCP held %d writes, up to %.3f ms",
		row, n.Pairs, 100*n.TieShare(), n.Intervals.Wrong, 100*intervals, 100*kernel, 100*user, n.Waited, float64(n.LongestWait)/1e6)
}

func TestVerifyNoise(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make verify-noise")
	}
	const each = 4000
	pairs, wrong := 0, 0
	for _, crowd := range []int{1, 100, 2000} {
		for _, messages := range []int{1, 2, 5} {
			for _, late := range []bool{false, true} {
				o := run.NoiseOptions{
					StartPeer: startNoiseProcess, Dial: new(net.Dialer).DialContext, Seed: uint64(crowd*10 + messages),
					Pairs: each, Clients: crowd, Messages: messages,
				}
				row := fmt.Sprintf("clients %4d  messages %d  reader idle", crowd, messages)
				if late {
					o.ReaderDelay, o.Busy = 20*time.Millisecond, true
					row = fmt.Sprintf("clients %4d  messages %d  reader 0-20 ms, busy", crowd, messages)
				}
				n, err := run.MeasureNoise(t.Context(), o)
				if err != nil {
					t.Fatalf("%s: %v", row, err)
				}
				logNoise(t, row, n)
				checkNoise(t, n, each)
				if messages == 1 && !late && n.TieShare() >= 0.01 {
					t.Errorf("%s: %.2f %% ties, less than 1 %% are allowed", row, 100*n.TieShare())
				}
				pairs, wrong = pairs+n.Pairs, wrong+n.Intervals.Wrong
			}
		}
	}
	t.Logf("%d pairs in all, %d in the wrong order by intervals; none was left out", pairs, wrong)
	if pairs < 50000 {
		t.Errorf("%d pairs are too few to say anything; 50,000 are asked for", pairs)
	}
}
