package run_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/target"
)

// tryOut tries a scenario out in memory; start is that of the bundled target, server that at the place which the scenario names.
func tryOut(t *testing.T, path, text string, server http.Handler, to run.TrialOptions) *run.Trial {
	t.Helper()
	plan, network := planAt(t, path, text), memnet.New(nil)
	o := run.Options{ID: 0xabc, Names: new(history.Names), Dial: network.DialContext, StartNode: spoken(network, nil)}
	if plan.Server != nil {
		defer hosted(t, network, plan.Server.URL.Host, server)()
	}
	trial, err := run.Try(t.Context(), plan, o, to)
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

// One client of each bundled wire finds its stream, and its own event by the way that the design has for it, once.
func TestTryEveryWire(t *testing.T) {
	t.Parallel()
	for _, c := range wireCases() {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				text := fmt.Sprintf("version: 1\nserver: {bundled: {design: %s, wire: %s, replay: 9}}\nclients: {idle: {count: 2, stream: none}, members: {count: 3, channel: lobby}}\n"+
					"load: {alone: {by: idle, channel: lobby, rate: 1/s, for: 1s}, talk: {by: members, rate: 1/s, for: 1s}}\n", c.design, or(c.wire, c.design.Wire()))
				if or(c.wire, c.design.Wire()) != target.JSON {
					text = strings.Replace(text, "replay: 9", "replay: 0", 1)
				}
				if c.knobs.Echo != "" {
					text = strings.Replace(text, "replay: ", "echo: "+string(c.knobs.Echo)+", replay: ", 1)
				}
				trial := tryOut(t, "s.yaml", text, nil, run.TrialOptions{Send: true, For: 5 * time.Second})
				stream, ok := trial.Stream()
				if trial.Ready == 0 || trial.Refused != nil || !ok || stream.Version != "HTTP/1.1" || trial.Client != "client 1 of members" || trial.Channel != "lobby" {
					t.Fatalf("the stream is %+v, ready after %v: %v", stream, trial.Ready, trial.Refused)
				}
				var ways []string
				for _, h := range trial.Heard {
					ways = append(ways, fmt.Sprint(h.Path, " ", h.Times))
				}
				want := []string{fmt.Sprint(c.author, " 1")}
				if c.author == history.NoPath {
					want = nil
				}
				if !slices.Equal(ways, want) || trial.Outcome != "" || trial.Settled == 0 || len(trial.Unknown) > 0 || len(trial.Ends) > 0 {
					t.Errorf("its event came by %q, want %q; the command: %q; unknown: %v; ends: %v", ways, want, trial.Outcome, trial.Unknown, trial.Ends)
				}
			})
		})
	}
}

func or(wire, standard target.Wire) target.Wire {
	if wire != "" {
		return wire
	}
	return standard
}

// chat is a server of somebody's own: what a post says goes to all streams, in an envelope; a stream begins with hello.
func chat(head func(w http.ResponseWriter), stream func(w http.ResponseWriter, r *http.Request, said <-chan string)) http.Handler {
	said := make(chan string, 16)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body := make([]byte, r.ContentLength)
			r.Body.Read(body)
			said <- string(body)
			fmt.Fprint(w, `{"ok": true}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		if head != nil {
			head(w)
		}
		stream(w, r, said)
	})
}

// next waits for what is said, as long as the stream lasts.
func next(r *http.Request, said <-chan string) (text string, ok bool) {
	select {
	case text := <-said:
		return text, true
	case <-r.Context().Done():
		return "", false
	}
}

func flush(w http.ResponseWriter, text string) {
	fmt.Fprint(w, text)
	w.(http.Flusher).Flush()
}

// near says whether two times are the same, but for the nanosecond that a time has which is not to mean "never".
func near(a, b time.Duration) bool { return a-b <= 1 && b-a <= 1 }

const chatFile = `version: 1
subscribe: {request: {get: /stream}, framing: sse%s}
publish: {request: {post: /say, json: '{"text": ${payload|json}}'}}
events: {message: {match: {event: said}}}
`

// What is in the way of a stream or an event is found out, and told apart.
func TestTryWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	const s = time.Second
	open := func(w http.ResponseWriter, r *http.Request, said <-chan string) {
		flush(w, "event: hello\ndata: {}\n\n")
		if text, ok := next(r, said); ok {
			flush(w, "event: said\ndata: {\"from\": 1, \"messages\": [{\"body\": "+text+"}]}\n\n")
		}
	}
	refuse := func(status int, kind string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			flush(w, "\r\nno \r\nand no more")
		})
	}
	await := func(r *http.Request, d time.Duration) {
		select {
		case <-r.Context().Done():
		case <-time.After(d):
		}
	}
	for _, test := range []struct {
		name, ready string
		server      http.Handler
		holds       func(*run.Trial) bool
	}{
		{"nothing", "", chat(nil, func(w http.ResponseWriter, r *http.Request, said <-chan string) {
			open(w, r, said)
			await(r, time.Hour)
		}), func(t *run.Trial) bool {
			verdict, _ := t.Buffering()
			e, _ := t.Command()
			return t.Ready > 0 && len(t.Heard) == 1 && t.Heard[0] == run.TrialHeard{Path: history.SSE, First: t.Heard[0].First, Times: 1} && verdict == "none seen" &&
				len(t.Events) == 2 && slices.Equal(t.Events[1].Found, []string{"messages[0].body.text"}) && e.Path == "/say" && e.Status == 200 &&
				len(t.Unknown) == 1 && t.Unknown[0] == run.Counted{What: `unknown event "hello"`, Times: 1}
		}},
		{"unauthorised", "", refuse(401, "text/plain"), func(t *run.Trial) bool {
			e, _ := t.Stream()
			return t.Ready == 0 && e.Status == 401 && e.Said == "no" && t.Refused != nil && t.Sent == 0
		}},
		{"a page", "", refuse(200, "text/html"), func(t *run.Trial) bool {
			e, _ := t.Stream()
			return t.Ready == 0 && e.ContentType == "text/html" && !e.Streams && t.Refused != nil
		}},
		{"no head", "", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { await(r, time.Hour) }), func(t *run.Trial) bool {
			e, ok := t.Stream()
			return ok && t.Ready == 0 && e.Head == 0 && e.Path == "/stream" && near(t.Lasted, 40*s)
		}},
		{"never ready", ", ready: {match: {event: welcome}}", chat(nil, func(w http.ResponseWriter, r *http.Request, _ <-chan string) {
			flush(w, "event: hello\ndata: {}\n\n")
			await(r, time.Hour)
		}), func(t *run.Trial) bool {
			e, _ := t.Stream()
			return t.Ready == 0 && e.Streams && len(t.Events) > 0 && t.Events[0].Name == "hello"
		}},
		{"an event that is held back", "", chat(nil, func(w http.ResponseWriter, r *http.Request, said <-chan string) {
			flush(w, "event: hello\ndata: {}\n\n")
			text, _ := next(r, said)
			await(r, 5*s)
			flush(w, "event: said\ndata: "+text+"\n\n: beat\n\n")
			await(r, time.Hour)
		}), func(t *run.Trial) bool {
			verdict, why := t.Buffering()
			return verdict == "likely" && strings.HasPrefix(why, "the event came 5 s after it was sent, in a read of ") && near(t.Heard[0].First-t.Sent, 5*s)
		}},
		{"an event that is cut in two", "", chat(nil, func(w http.ResponseWriter, r *http.Request, said <-chan string) {
			flush(w, ": hello\n\n")
			if text, ok := next(r, said); ok {
				flush(w, "event: said\ndata: "+text[:5])
				await(r, 2*s)
				flush(w, text[5:]+"\n\n")
			}
			await(r, time.Hour)
		}), func(t *run.Trial) bool {
			verdict, why := t.Buffering()
			return verdict == "likely" && why == "an event came in pieces, the last 2 s after the first"
		}},
		{"heartbeats, and an end", "", chat(nil, func(w http.ResponseWriter, r *http.Request, _ <-chan string) {
			flush(w, ": beat\n\n")
			await(r, 10*s)
			flush(w, ": beat\n\n")
			await(r, 10*s)
		}), func(t *run.Trial) bool {
			return len(t.Beats) >= 2 && near(t.Beats[1]-t.Beats[0], 10*s) && near(t.Ends[0].After, 20*s) && t.Ends[0].Why == "end of stream" && len(t.Heard) == 0
		}},
		{"compressed", "", chat(func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip") }, open), func(t *run.Trial) bool {
			e, _ := t.Stream()
			return e.Encoding == "gzip"
		}},
		{"another server", "", refuse(503, "text/plain"), func(t *run.Trial) bool {
			e, _ := t.Stream()
			return e.Status == 503 && t.Ready == 0
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tryChat(t, test.ready, test.server, func(trial *run.Trial) {
				if !test.holds(trial) {
					verdict, why := trial.Buffering()
					t.Errorf("got %+v\nbuffering %s: %s", trial, verdict, why)
				}
			})
		})
	}
}

// tryChat tries a server out by chatFile, and lets the caller look at what came of it.
func tryChat(t *testing.T, ready string, server http.Handler, look func(*run.Trial)) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "chat.yaml"), fmt.Appendf(nil, chatFile, ready), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		text := "version: 1\nserver: {url: http://chat:80, protocol: chat.yaml}\nclients: {members: {count: 3, channel: lobby}}\nload: {talk: {by: members, rate: 1/s, for: 1s}}\n"
		look(tryOut(t, filepath.Join(dir, "s.yaml"), text, server, run.TrialOptions{Send: true, For: 40 * time.Second}))
	})
}

// The first line of an answer that refuses is kept, of a stream and of a command, also where the answer never ends.
func TestTryKeepsWhatARefusalSays(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"of a stream": 403, "of a command": 400} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tryChat(t, "", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if refused := status == 403; refused || r.Method == http.MethodPost {
					w.WriteHeader(status)
					flush(w, "\r\nwho is in lobby? \r\nand no more")
				} else {
					w.Header().Set("Content-Type", "text/event-stream")
					flush(w, ": beat\n\n")
				}
				<-r.Context().Done()
			}), func(trial *run.Trial) {
				e, ok := trial.Command()
				if status == 403 {
					e, ok = trial.Stream()
				}
				if !ok || e.Status != status || e.Said != "who is in lobby?" {
					t.Errorf("got %+v, with %+v", trial, e)
				}
			})
		})
	}
}

// Without anybody to listen, or to send, there is nothing to try.
func TestTryNobody(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		groups []run.Group
		send   bool
		want   string
	}{
		{[]run.Group{{Name: "idle", Count: 2}}, false, "try the plan out: none of its clients listens"},
		{
			[]run.Group{{Name: "members", Count: 2, Channel: func(int) string { return "lobby" }}},
			true,
			"try the plan out: no clients that listen send by a load of their own accord, so that nobody could hear of it (leave --send out)",
		},
	} {
		if _, err := run.Try(t.Context(), run.Plan{Nodes: 1, Groups: test.groups}, run.Options{}, run.TrialOptions{Send: test.send}); err == nil || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

// Times of a trial have few digits and a unit behind a space.
func TestBrief(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 s", 310_400: "310 µs", 2_154_000: "2.15 ms", 9_999_999: "10 ms", 12_400_000: "12 ms", 1_995_000_000: "1.995 s", 10_040_000_000: "10 s", 10 * time.Minute: "600 s",
	} {
		if got := run.Brief(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
