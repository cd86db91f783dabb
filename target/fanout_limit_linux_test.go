package target_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"holobench/target"
)

// What a delivery costs near the limit: each design, and the server of r3labs/sse, beside a bare loop of write(2) over the
// same sockets, in the same process and in turns, so that a noisy minute falls on both; the bare loop twice, so that one
// sees what the noise is. The subscribers are a process of their own that only drains, so that the CPU is the server's.

var (
	fanoutEngines = flag.String("engines", "", "bench-fanout: only these, separated by commas")
	fanoutCrowd   = flag.Int("subscribers", 0, "bench-fanout: so many instead of 1,000 and 5,000")
)

// fanoutRole is the environment variable that makes the test binary a part of a measurement.
const fanoutRole = "HOLOBENCH_TEST_ROLE"

const (
	fanoutRounds = 5
	referenceSSE = "r3labs/sse"
)

// The aims.
const (
	mostPerDelivery   = 1.25 // times the CPU of the bare loop, uncoalesced
	leastOfSaturation = 0.85 // of the deliveries/s of the bare coalescing loop, with 5,000 subscribers
	mostKiBEach       = 10   // of resident memory a subscriber
)

func TestMain(m *testing.M) {
	switch role, argument, _ := strings.Cut(os.Getenv(fanoutRole), " "); role {
	case "":
		os.Exit(m.Run())
	case "serve":
		fanoutServe(strings.Fields(argument))
	case "drain":
		fanoutDrain(strings.Fields(argument))
	case "slow-serve":
		slowServe(strings.Fields(argument))
	case "slow-read":
		slowRead(strings.Fields(argument))
	default:
		must(fmt.Errorf("there is no role %q", role))
	}
}

// turns are what one thing was measured as, a figure a round: the bare loop, the engine, and the bare loop again.
type turns struct {
	Bare, Engine, Again []float64
}

// ratio is the median of the engine's figures as a multiple of the mean of the two bare ones beside it; noise is that of
// the second bare figure as a multiple of the first.
func (t turns) ratio() (ratio, noise float64) {
	var ratios, noises []float64
	for i := range t.Bare {
		ratios = append(ratios, 2*t.Engine[i]/(t.Bare[i]+t.Again[i]))
		noises = append(noises, t.Again[i]/t.Bare[i])
	}
	return median(ratios), median(noises)
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// fanoutMeasured is what a server process reports.
type fanoutMeasured struct {
	KiBEach   float64      `json:"kib"`        // resident, a subscriber, when all of them are idle
	KiBAfter  float64      `json:"kib_after"`  // ... after everything
	EventSize int          `json:"event_size"` // bytes on the wire
	Writes    fanoutTurns  `json:"writes"`     // beside the bare loop of writes
	Polls     *fanoutTurns `json:"polls"`      // beside the bare loop of polls; nil = nobody polls
}

// fanoutTurns are what a server was measured as beside one bare loop.
type fanoutTurns struct {
	IdleCPU  turns `json:"idle_cpu"`  // us a delivery
	IdleRate turns `json:"idle_rate"` // deliveries/s
	BusyCPU  turns `json:"busy_cpu"`
	BusyRate turns `json:"busy_rate"`
}

func TestBenchFanout(t *testing.T) {
	if !*verify {
		t.Skip("a long proof: make bench-fanout")
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("load of the machine before the run (1, 5, 15 min): %s", load)
	engines := []string{referenceSSE}
	for _, design := range target.Designs() {
		engines = append(engines, string(design))
	}
	if *fanoutEngines != "" {
		engines = strings.Split(*fanoutEngines, ",")
	}
	sizes := []int{1000, 5000}
	if *fanoutCrowd > 0 {
		sizes = []int{*fanoutCrowd}
	}
	for _, subscribers := range sizes {
		t.Logf("%d subscribers: one event at a time | saturated | memory\n%-15s %s", subscribers, "",
			"us/delivery  bare  ratio (A/A)  deliveries/s | deliveries/s    bare  ratio (A/A)  us/delivery | KiB idle, after")
		for _, engine := range engines {
			row, missed := measureFanout(t, engine, subscribers).row(engine, subscribers)
			for _, aim := range missed {
				row += "\n" + strings.Repeat(" ", 16) + "aim missed: " + aim
			}
			t.Log(row)
		}
	}
}

// row is a line of the table, and the aims that are missed in it. An engine that is polled has a second line, beside the bare loop
// of polls, and has its aims there: a loop that only writes does half of what there is to do (docs/adr/0015).
func (m fanoutMeasured) row(engine string, subscribers int) (row string, missed []string) {
	judged := m.Writes
	row = fmt.Sprintf("%s | %.1f, %.1f", m.Writes.columns(engine), m.KiBEach, m.KiBAfter)
	if m.Polls != nil {
		judged = *m.Polls
		row += "\n" + strings.Repeat(" ", 8) + m.Polls.columns("  beside polls")
	}
	if engine == referenceSSE {
		return row, nil
	}
	cost, _ := judged.IdleCPU.ratio()
	rate, _ := judged.BusyRate.ratio()
	if cost > mostPerDelivery {
		missed = append(missed, fmt.Sprintf("a delivery costs %.2f times the bare loop's CPU, at most %.2f is aimed at", cost, mostPerDelivery))
	}
	if subscribers >= 5000 && rate < leastOfSaturation {
		missed = append(missed, fmt.Sprintf("saturated it is %.2f of the bare coalescing loop, at least %.2f is aimed at", rate, leastOfSaturation))
	}
	if m.KiBEach > mostKiBEach {
		missed = append(missed, fmt.Sprintf("a subscriber costs %.1f KiB, at most %d are aimed at", m.KiBEach, mostKiBEach))
	}
	return row, missed
}

// columns are the figures of a line beside one bare loop.
func (t *fanoutTurns) columns(name string) string {
	cost, costNoise := t.IdleCPU.ratio()
	rate, rateNoise := t.BusyRate.ratio()
	bare := slices.Concat(t.IdleCPU.Bare, t.IdleCPU.Again)
	bareBusy := slices.Concat(t.BusyRate.Bare, t.BusyRate.Again)
	return fmt.Sprintf("%-15s %11.2f %5.2f  %5.2f (%.2f)  %12.0f | %12.0f %7.0f  %5.2f (%.2f)  %11.2f",
		name, median(t.IdleCPU.Engine), median(bare), cost, costNoise, median(t.IdleRate.Engine),
		median(t.BusyRate.Engine), median(bareBusy), rate, rateNoise, median(t.BusyCPU.Engine))
}

// measureFanout runs one server process and its subscribers.
func measureFanout(t *testing.T, engine string, subscribers int) fanoutMeasured {
	t.Helper()
	server := startRole(t, fmt.Sprintf("serve %s %d", engine, subscribers))
	addresses := server.line(t)
	drain := startRole(t, fmt.Sprintf("drain %s %d %s", engine, subscribers, addresses))
	if said := drain.line(t); said != "subscribed" {
		t.Fatalf("the subscribers of %s said %q", engine, said)
	}
	fmt.Fprintln(server.in, "subscribed")
	if said := server.line(t); said != "measured memory" {
		t.Fatalf("%s said %q", engine, said)
	}
	fmt.Fprintln(drain.in, "spare")
	if said := drain.line(t); said != "ready" {
		t.Fatalf("the subscribers of %s said %q", engine, said)
	}
	fmt.Fprintln(server.in, "go")
	var m fanoutMeasured
	if err := json.Unmarshal([]byte(server.line(t)), &m); err != nil {
		t.Fatalf("%s: %v", engine, err)
	}
	drain.stop() // first: it would miss the server
	server.stop()
	return m
}

// role is a process that plays a part.
type role struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

func startRole(t *testing.T, what string) *role {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), fanoutRole+"="+what)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	r := &role{command: command, in: in, out: bufio.NewScanner(out)}
	t.Cleanup(r.stop)
	return r
}

// stop closes the input of the process, which ends it, and waits for that.
func (r *role) stop() {
	r.in.Close()
	if r.command.ProcessState == nil {
		r.command.Wait()
	}
}

func (r *role) line(t *testing.T) string {
	t.Helper()
	if !r.out.Scan() {
		t.Fatalf("a process ended early: %v", r.out.Err())
	}
	return r.out.Text()
}

// pause waits for so long; there is nothing to wait for when the other side only drains.
func pause(d time.Duration) { <-time.After(d) }

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "fan-out:", err)
		os.Exit(1)
	}
}
