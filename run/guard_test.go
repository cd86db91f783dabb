package run_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
)

// failingFrom is a server that answers commands with 503 in these times of its life, and streams with what they ask for.
func failingFrom(outages ...[2]time.Duration) http.Handler {
	began, server := time.Now(), new(hub)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/events" {
			server.hold(w, r, "lobby")
			return
		}
		for _, o := range outages {
			if since := time.Since(began); since >= o[0] && since < o[1] {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}
	})
}

// The breaker ends a run in the very second in which most requests have failed for long enough, and writes all that there is to report.
func TestBreaker(t *testing.T) {
	t.Parallel()
	const s, ms = time.Second, time.Millisecond
	const told = "the breaker ended the run: for 10s more than 50% of the requests failed, in every second in which any ended " +
		"(is that what was to be seen? then say server.breaker: none)"
	for _, test := range []struct {
		name, breaker, rate string
		outages             [][2]time.Duration
		ends                time.Duration // after the start; 0 = it does not
		told                string
	}{
		{"nothing fails", "", "10/s", nil, 0, ""},
		{"everything fails", "", "10/s", [][2]time.Duration{{5050 * ms, 99 * s}}, 15 * s, told},
		{"not quite for so long", "", "10/s", [][2]time.Duration{{5050 * ms, 14450 * ms}}, 0, ""},
		{"a good second between", "", "10/s", [][2]time.Duration{{1050 * ms, 10050 * ms}, {11050 * ms, 99 * s}}, 21 * s, told},
		{"too few to say so", "", "30/m", [][2]time.Duration{{0, 99 * s}}, 21 * s, told}, // in the first second three streams were opened
		{"sooner", ", breaker: {share: 20%, for: 3s}", "10/s", [][2]time.Duration{{5050 * ms, 99 * s}}, 8 * s, strings.NewReplacer("10s", "3s", "50%", "20%").Replace(told)},
		{"none", ", breaker: none", "10/s", [][2]time.Duration{{0, 99 * s}}, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				text := "version: 1\nserver: {url: http://elsewhere:80" + test.breaker + "}\nclients: {members: {count: 3, channel: lobby}}\n" +
					"load: {talk: {by: members, rate: " + test.rate + ", for: 40s}}\ndrain: 100ms\n"
				seen, result, err := carryOutFailing(t, text, failingFrom(test.outages...))
				switch {
				case test.ends == 0 && err == nil && result.Ending == history.EndingComplete:
				case test.ends == 0:
					t.Errorf("the run was %s: %v", result.Ending, err)
				case err == nil || err.Error() != test.told || result.Ending != history.EndingFailed || result.Failure != test.told:
					t.Errorf("the run was %s: %v", result.Ending, err)
				}
				last := time.Duration(0)
				for _, o := range seen {
					if o.Kind == history.Sent {
						last = max(last, time.Duration(o.At))
					}
				}
				if ends := time.Duration(result.LoadEnd); test.ends > 0 && (last > test.ends || ends < test.ends || ends > test.ends+100*ms) {
					t.Errorf("the load ended after %v, its last command was sent after %v; want %v", ends, last, test.ends)
				}
			})
		})
	}
}

// carryOutFailing runs a scenario against a server in memory; it may fail.
func carryOutFailing(t *testing.T, text string, server http.Handler, changes ...func(*run.Plan)) ([]history.Observation, history.Run, error) {
	t.Helper()
	plan, network := planOf(t, text), memnet.New(nil)
	for _, change := range changes {
		change(&plan)
	}
	defer hosted(t, network, plan.Server.URL.Host, server)()
	record := &memoryRecord{closed: make(chan struct{})}
	result, err := run.Run(t.Context(), plan, run.Options{
		ID: 0xabc, Names: new(history.Names), Record: record, Dial: network.DialContext,
		SaveRun: func(history.Run) error { return nil },
	})
	var all []history.Observation
	record.Scan(func(batch []history.Observation) error {
		all = append(all, batch...)
		return nil
	})
	return all, result, err
}

// A server that takes no stream any more is one that fails, too.
func TestBreakerOfStreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/events" && time.Since(began) < 2500*time.Millisecond {
				w.Header().Set("Content-Type", "text/event-stream")
				w.(http.Flusher).Flush()
				<-time.After(2500*time.Millisecond - time.Since(began))
				return
			}
			panic(http.ErrAbortHandler) // the connection ends without an answer
		})
		text := "version: 1\nserver: {url: http://elsewhere:80}\nclients: {members: {count: 20, channel: lobby}}\nload: {talk: {by: members, rate: 1/m, for: 60s}}\ndrain: 100ms\n"
		_, result, err := carryOutFailing(t, text, handler)
		if err == nil || !strings.HasPrefix(err.Error(), "the breaker ended the run: for 10s") || result.Ending != history.EndingFailed {
			t.Errorf("the run was %s after %v: %v", result.Ending, time.Duration(result.LoadEnd), err)
		}
	})
}

// What no schedule bounds, a limit does: a closed load that sends as fast as replies come is ended with the first command that is one too many.
func TestMaxRate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, load string
		limit      float64
		sent       int // 0 = the run is not ended
	}{
		{"a schedule that is just below", "{by: members, rate: 30/s, for: 20s}", 30, 0},
		{"drawn at random", "{by: members, rate: 25/s, arrivals: poisson, for: 60s}", 30, 0},
		{"as fast as replies come", "{by: {clients: members, only: 1}, each: {every: 20ms}, for: 60s}", 30, 74},
		{"a pause that suffices", "{by: {clients: members, only: 1}, each: {every: 50ms}, for: 60s}", 30, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				text := "version: 1\nserver: {url: http://elsewhere:80}\nclients: {members: {count: 3, channel: lobby}}\nload: {talk: " + test.load + "}\ndrain: 100ms\n"
				seen, result, err := carryOutFailing(t, text, failingFrom(), func(p *run.Plan) { p.MaxRate = test.limit })
				sent := count(seen, history.Sent)
				if test.sent == 0 {
					if err != nil || result.Ending != history.EndingComplete {
						t.Errorf("the run was %s after %d commands: %v", result.Ending, sent, err)
					}
					return
				}
				// 30 at once and 30 a second, at 50 a second: the 74th is the first that finds no room.
				if err == nil || !strings.HasPrefix(err.Error(), "the run was ended because it sent more than the 30 commands a second that it may (--max-rate)") || sent < test.sent || sent > test.sent+1 {
					t.Errorf("the run was %s after %d commands, want %d: %v", result.Ending, sent, test.sent, err)
				}
			})
		})
	}
}

// What a schedule asks for is known before it begins.
func TestLimit(t *testing.T) {
	t.Parallel()
	plan := planOf(t, "version: 1\nserver: {url: http://elsewhere}\nclients: {members: {count: 3, channel: lobby}}\nload: {talk: {by: members, rate: 80/s, for: 2s}, more: {by: members, rate: 10/s, for: 2s}}\n")
	const want = "--max-rate 50/s: at its peak the scenario sends 90 commands a second (make it smaller: --scale 55.5%, or allow more)"
	if err := plan.Limit(50); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	if err := plan.Limit(90); err != nil || plan.MaxRate != 90 {
		t.Errorf("the very rate is refused: %v", err)
	}
}
