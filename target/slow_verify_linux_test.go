package target_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"holobench/target"
	"holobench/wire"
)

const (
	slowHealthy  = 500
	slowRounds   = 5
	slowEvents   = 60 // a half
	slowInterval = 40 * time.Millisecond
	slowPayload  = 4 << 10 // bytes: a half is far beyond the narrow socket and the outbox of who does not read
	slowFrames   = 16      // Options.OutboxFrames
	slowKeys     = 4
	mostSlower   = 1.5      // times the p99 without the slow one: more than the noise of a machine with other work
	mostGrown    = 32 << 20 // bytes that the server may have grown by
)

// slowHalf is what the server says after a half.
type slowHalf struct {
	Cut, Coalesced uint64
	Frames, Bytes  int   // of the fullest outbox, looked at after each event
	RSS            int64 // bytes
}

// TestVerifySlow: one subscriber that never reads beside many that do, on real sockets and in processes of their own. Halves
// with it stand between halves without: the p99 of those that read must not tell them apart by more than two halves without.
func TestVerifySlow(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make verify-slow")
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("load of the machine before the run (1, 5, 15 min): %s", load)
	for _, design := range []target.Design{target.SingleChannel, target.Ephemeral} {
		t.Run(string(design), func(t *testing.T) { verifySlow(t, design) })
	}
}

func verifySlow(t *testing.T, design target.Design) {
	server := startRole(t, "slow-serve "+string(design))
	addr := server.line(t)
	readers := startRole(t, "slow-read "+addr)
	if said := readers.line(t); said != "subscribed" {
		t.Fatalf("the readers said %q", said)
	}
	half := func() (p99 time.Duration, m slowHalf) {
		fmt.Fprintln(server.in, "half")
		if err := json.Unmarshal([]byte(server.line(t)), &m); err != nil {
			t.Fatal(err)
		}
		ns, err := strconv.ParseInt(readers.line(t), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return time.Duration(ns), m
	}
	_, first := half() // warms up
	last := first
	var without, with, again []float64
	frames, bytes := 0, 0
	for range slowRounds {
		p99, _ := half()
		without = append(without, p99.Seconds()*1e3)

		slow := dialSlow(t, addr)
		p99, m := half()
		with = append(with, p99.Seconds()*1e3)
		frames, bytes = max(frames, m.Frames), max(bytes, m.Bytes)
		slow.Close()

		p99, last = half()
		again = append(again, p99.Seconds()*1e3)
	}
	t.Logf("%s: p99 of %d x %d deliveries in ms, medians of %d: without %.2f, with the slow one %.2f, without again %.2f\n"+
		"ratios of medians: with/without %.2f, again/without %.2f (A/A)\nall: without %.2f, with %.2f, again %.2f\n"+
		"the slow one: %d times cut, %d values coalesced; fullest outbox %d frames, %d bytes; server RSS %.1f MiB at first, %.1f at last",
		design, slowEvents, slowHealthy, slowRounds, median(without), median(with), median(again), median(with)/median(without),
		median(again)/median(without), without, with, again, last.Cut, last.Coalesced, frames, bytes,
		float64(first.RSS)/(1<<20), float64(last.RSS)/(1<<20))
	noise := max(median(again)/median(without), median(without)/median(again))
	if ratio := median(with) / median(without); ratio > max(mostSlower, noise) {
		t.Errorf("with the slow one the p99 of the others is %.2f times as long (noise %.2f)", ratio, noise)
	}
	switch {
	case design == target.SingleChannel && (last.Cut != slowRounds || last.Coalesced != 0):
		t.Errorf("it was cut %d times, want %d", last.Cut, slowRounds)
	case design == target.Ephemeral && (last.Cut != 0 || last.Coalesced == 0):
		t.Errorf("it was cut %d times, and %d values were coalesced", last.Cut, last.Coalesced)
	}
	if frames > slowFrames+1 || last.RSS-first.RSS > mostGrown {
		t.Errorf("%d frames waited, and the server grew by %d bytes", frames, last.RSS-first.RSS)
	}
}

// dialSlow opens a stream of which it reads one byte, so that it is subscribed, and no more.
func dialSlow(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	io.WriteString(conn, request("slow", "room"))
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// slowServe is the process of the server: it plays a half for each line of its input.
func slowServe(arguments []string) {
	design, err := target.ParseDesign(arguments[0])
	must(err)
	s, err := target.New(target.Options{Design: design, OutboxFrames: slowFrames, Heartbeat: time.Hour})
	must(err)
	l := listenHere()
	go s.Serve(context.Background(), narrowListener{l.Listener})
	fmt.Println(l.Addr())
	filler := strings.Repeat("x", slowPayload)
	tick := time.NewTicker(slowInterval)
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		var m slowHalf
		for n := range slowEvents {
			<-tick.C
			payload := fmt.Sprintf("%d %d %s", time.Now().UnixNano(), n, filler)
			must(s.Publish(context.Background(), wire.Event{Channel: "room", Payload: payload}, fmt.Sprint(n%slowKeys)))
			frames, bytes := s.DeepestOutbox()
			m.Frames, m.Bytes = max(m.Frames, frames), max(m.Bytes, bytes)
		}
		m.Cut = s.Counters().Get(target.CutOutboxFull) + s.Counters().Get(target.CutWriteTimeout)
		m.Coalesced, m.RSS = s.Counters().Get(target.OutboxCoalesced), rss()
		must(json.NewEncoder(os.Stdout).Encode(m))
	}
	os.Exit(0)
}

// slowRead is the process of those that read: after each half it says their p99 in ns.
func slowRead(arguments []string) {
	lines := make([]*bufio.Scanner, slowHealthy)
	for i := range lines {
		conn, err := net.Dial("tcp", arguments[0])
		must(err)
		io.WriteString(conn, request(fmt.Sprint("c", i), "room"))
		lines[i] = bufio.NewScanner(conn)
		for lines[i].Scan() && lines[i].Text() != "" { // the head ends with an empty line
		}
	}
	fmt.Println("subscribed")
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		latencies := make([][]int64, len(lines))
		var all sync.WaitGroup
		for i := range lines {
			all.Go(func() { latencies[i] = readHalf(lines[i]) })
		}
		all.Wait()
		sorted := slices.Sorted(slices.Values(slices.Concat(latencies...)))
		fmt.Println(sorted[len(sorted)*99/100])
	}
}

// readHalf reads until the last event of a half, and returns how late each was, in ns.
func readHalf(lines *bufio.Scanner) (latencies []int64) {
	for lines.Scan() {
		_, payload, ok := strings.Cut(lines.Text(), `"payload":"`)
		fields := strings.SplitN(payload, " ", 3)
		if !ok || len(fields) < 3 {
			continue
		}
		sent, err := strconv.ParseInt(fields[0], 10, 64)
		must(err)
		latencies = append(latencies, time.Now().UnixNano()-sent)
		if fields[1] == strconv.Itoa(slowEvents-1) {
			return latencies
		}
	}
	must(io.ErrUnexpectedEOF)
	return nil
}
