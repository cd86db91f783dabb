package run_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"holobench/history"
	"holobench/target"
	"holobench/wire/hologram"
)

// chatApp is an app on Hologram that is not the bundled one: behind a login, with a page, a module and params of its own. What it
// has understood it hands to the bundled imitation.
type chatApp struct {
	inner http.Handler

	mu      sync.Mutex
	users   map[string]bool
	refused []string
	left    int
}

func (a *chatApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(why string) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.refused = append(a.refused, why)
		http.Error(w, why, http.StatusForbidden)
	}
	session, _ := r.Cookie("app_session")
	room, page := strings.CutPrefix(r.URL.Path, "/rooms/")
	switch {
	case r.URL.Path == "/login" && r.Method == http.MethodGet:
		io.WriteString(w, `<input type="hidden" name="_csrf_token" value="t0ken">`)
	case r.URL.Path == "/login":
		user := r.FormValue("user[name]")
		if r.FormValue("_csrf_token") != "t0ken" || !strings.HasSuffix(r.FormValue("user[password]"), "-of-"+user) {
			refuse("a wrong login")
			return
		}
		a.mu.Lock()
		a.users[user] = true
		a.mu.Unlock()
		http.SetCookie(w, &http.Cookie{Name: "app_session", Value: user, Path: "/"})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case session == nil:
		refuse("no session for " + r.URL.Path)
	case r.URL.Path == "/session":
		a.mu.Lock()
		a.left++
		a.mu.Unlock()
	case r.URL.Path == "/":
	case page:
		r.URL.Path, r.URL.RawQuery = "/hologram/room", "channel=room-"+room
		a.inner.ServeHTTP(w, r)
	case r.URL.Path == hologram.CommandPath:
		if why := a.translate(r); why != "" {
			refuse(why)
			return
		}
		a.inner.ServeHTTP(w, r)
	default:
		a.inner.ServeHTTP(w, r)
	}
}

// translate makes a command of the app's one of the bundled page.
func (a *chatApp) translate(r *http.Request) (why string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	c, err := hologram.ParseCommand(body)
	if err != nil {
		return err.Error()
	}
	room, _ := c.Params.Get("room")
	text, _ := c.Params.Get("text")
	if c.Module != "Elixir.Chat.RoomPage" || c.Name != "send_message" || c.Target != "page" || room.Kind != hologram.KindInteger || text.Kind != hologram.KindBitstring {
		return fmt.Sprintf("no such command: %+v", c)
	}
	inner := hologram.AppendEventCommand(nil, hologram.EventCommand{
		Instance: c.InstanceID, Channel: "room-" + room.Text, Name: c.Name, Payload: text.Text,
	})
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(inner)), int64(len(inner))
	return ""
}

func TestChatOnHologram(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner, err := target.New(target.Options{Design: target.Hologram, Wire: "hologram"})
		if err != nil {
			t.Fatal(err)
		}
		server := &chatApp{inner: inner, users: make(map[string]bool)}
		seen, result := carryOutCase(t, "chat-on-hologram", server, "count: 200", "count: 20", "count: 10}", "count: 2}", "only: 50", "only: 20",
			"join_over: 10s", "join_over: 1s", "for: 60s", "for: 5s", "steady: 5s..60s", "steady: 1s..5s")
		if len(server.users) != 20 || len(server.refused) > 0 || server.left != 20 {
			t.Errorf("%d users came in and %d left; refused: %v", len(server.users), server.left, server.refused)
		}
		written, err := json.Marshal(result)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"t0ken", "-of-user-"} { // what was captured, and a secret column
			if bytes.Contains(written, []byte(secret)) {
				t.Errorf("run.json has %s", secret)
			}
		}
		echoes, streamed := 0, 0
		for _, o := range seen {
			switch {
			case o.Kind == history.Delivered && o.Path == history.Reply:
				echoes++
			case o.Kind == history.Delivered:
				streamed++
			}
		}
		if all := kinds(seen); echoes < 150 || streamed != 9*echoes || all[history.Alien] > 0 || all[history.Replied] != echoes {
			t.Errorf("%d came back by the reply and %d by streams: %v", echoes, streamed, all)
		}
	})
}

// prompts is an MCP server: each prompt is answered by two words of progress and a result.
type prompts struct {
	mu       sync.Mutex
	sessions int
	wrong    []string
}

func (p *prompts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var call struct {
		ID     json.RawMessage
		Method string
		Params struct {
			Arguments struct{ Text string }
			Meta      struct{ ProgressToken json.RawMessage } `json:"_meta"`
		}
	}
	if r.Method == http.MethodPost && json.NewDecoder(r.Body).Decode(&call) != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	if session := r.Header.Get("Mcp-Session-Id"); session == "" && call.Method != "initialize" {
		p.wrong = append(p.wrong, r.Method+" "+call.Method+" without a session")
	}
	if call.Method == "initialize" {
		p.sessions++
		w.Header().Set("Mcp-Session-Id", fmt.Sprintf("s-%d", p.sessions))
	}
	p.mu.Unlock()
	if call.Method == "notifications/initialized" {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.(http.Flusher).Flush()
	if call.Method == "tools/call" {
		for range 2 {
			fmt.Fprintf(w, "event: message\ndata: {\"method\":\"notifications/progress\",\"params\":{\"progressToken\":%s}}\n\n", call.Params.Meta.ProgressToken)
			w.(http.Flusher).Flush()
		}
	}
	if r.Method == http.MethodPost {
		fmt.Fprintf(w, "event: message\ndata: {\"id\":%s,\"result\":{\"content\":%q}}\n\n", call.ID, call.Params.Arguments.Text)
		w.(http.Flusher).Flush()
	}
	if call.Method != "initialize" {
		<-r.Context().Done() // it leaves the end of an answer open, as it may
	}
}

func TestMCPPrompts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := new(prompts)
		seen, _ := carryOutCase(t, "mcp-prompts", server, "count: 40", "count: 4", "iterations: 20", "iterations: 3")
		if server.sessions != 4 || len(server.wrong) > 0 {
			t.Errorf("%d sessions; %v", server.sessions, server.wrong)
		}
		parts, met := make(map[uint32]int), 0
		for _, o := range seen {
			switch {
			case o.Kind == history.Delivered:
				parts[o.Part]++
			case o.Kind == history.Expectation && o.Err == history.NoErr:
				met++
			}
		}
		if all := kinds(seen); all[history.Replied] != 12 || parts[1] != 12 || parts[2] != 12 || parts[3] != 12 || len(parts) != 3 || met != 12 {
			t.Errorf("parts %v, %d results were waited for: %v", parts, met, all)
		}
	})
}

// notifications tells each user what is his own.
type notifications struct{ hub }

func (n *notifications) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		n.hold(w, r, r.URL.Query().Get("user"))
		return
	}
	var note struct{ User, Body string }
	if json.NewDecoder(r.Body).Decode(&note) != nil || r.Header.Get("Authorization") != "Bearer none" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tell(note.User, "notification", note)
	w.WriteHeader(http.StatusAccepted)
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen, _ := carryOutCase(t, "notifications", new(notifications), "10000", "100", "for: 10m", "for: 1m", "10s..10m", "10s..1m")
		all := kinds(seen)
		if all[history.Replied] < 1000 || all[history.Delivered] != all[history.Replied] || all[history.Subscribed] != 100 || all[history.Ended] > 0 {
			t.Errorf("each notification reaches one user: %v", all)
		}
	})
}
