package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var shots = flag.String("shots", "", "directory for screenshots of the page (make verify-page)")

// served is a holobench serve in a process of its own.
type served struct {
	command *exec.Cmd
	addr    string
}

// startServe serves at addr; port 0 takes a free one.
func startServe(t *testing.T, addr string, args ...string) *served {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ready := filepath.Join(t.TempDir(), "ready")
	c := exec.Command(program, append([]string{"serve", "--addr", addr, "--ready-file", ready}, args...)...)
	c.Args[0] = "holobench"
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	s := &served{command: c}
	t.Cleanup(func() { s.stop(t, syscall.SIGKILL) })
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if text, err := os.ReadFile(ready); err == nil {
			s.addr = strings.TrimSpace(string(text))
			return s
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("holobench serve was not ready within %v", patience)
		}
	}
}

// stop ends it by a signal and waits for its end.
func (s *served) stop(t *testing.T, signal os.Signal) {
	t.Helper()
	if s.command.ProcessState != nil {
		return
	}
	s.command.Process.Signal(signal)
	if err := s.command.Wait(); err != nil && signal != syscall.SIGKILL {
		t.Errorf("holobench serve ended with %v", err)
	}
}

// shown is what one column of the page's table shows.
type shown struct {
	Events []struct {
		Text, By  string
		Divergent bool
		Lone      bool
	}
	Notes []string
}

// column reads one column of the table: 0 is the tab itself, 1 the other one.
func (p *tab) column(number int) (s shown) {
	p.eval(fmt.Sprintf(`(() => {
		const shown = { Events: [], Notes: [] };
		for (const row of document.querySelectorAll("#rows tr")) {
			const cell = row.children[%d];
			if (!cell?.firstChild?.querySelector) continue;
			const what = cell.querySelector(".what").textContent;
			if (cell.classList.contains("note")) { shown.Notes.push(what); continue; }
			shown.Events.push({ Text: what.replace(/^\S+ /, ""), By: cell.querySelector(".by").textContent,
				Divergent: cell.classList.contains("divergent"), Lone: cell.classList.contains("lone") });
		}
		return shown;
	})()`, number), &s)
	return s
}

// titles names the events of a column by who sent them, too: it is the same in both tabs.
func (p *tab) titles(number int, own, other string) (titles []string) {
	p.eval(fmt.Sprintf(`[...document.querySelectorAll("#rows tr")].map((row) => row.children[%d]?.querySelector(".who")?.parentNode.textContent)
		.filter(Boolean)`, number), &titles)
	for i, title := range titles {
		if rest, ok := strings.CutPrefix(title, "own "); ok {
			titles[i] = own + " " + rest
		} else if !strings.HasPrefix(title, other) {
			titles[i] = "of nobody: " + title
		}
	}
	return titles
}

const eventCells = `[...document.querySelectorAll("#rows tr")].filter((row) => row.children[%d]?.querySelector(".by")).length`

// saw waits until a tab shows so many events in both columns.
func (p *tab) saw(events int) {
	p.browser.t.Helper()
	for column := range 2 {
		p.until(fmt.Sprintf("%d events in column %d", events, column), fmt.Sprintf(eventCells+" === %d", column, events))
	}
}

// burst has both tabs send at once.
func (p *tab) burst(events int) {
	p.eval(fmt.Sprintf(`document.getElementById("count").value = %d; document.querySelector("button[value=everywhere]").click()`, events), nil)
}

const isOpen = `document.getElementById("state")?.dataset.state === "open"`

// TestVerifyPage looks at the page with a real browser: two tabs, 100 events, a restart of the server in the middle.
func TestVerifyPage(t *testing.T) {
	if !*verify {
		t.Skip("starts a browser: make verify-page")
	}
	browser := startChromium(t)
	for _, design := range []struct {
		name, own string
		oneOrder  bool
	}{
		{"hologram", "reply", false},
		{"single-channel", "sse", true},
		{"channels", "sse", false},
		{"long-poll", "sse", false},
		{"sequenced", "sse", true},
		{"state-sync", "sse", true},
	} {
		t.Run(design.name, func(t *testing.T) {
			browser.t = t
			server := startServe(t, "127.0.0.1:0", "--design", design.name)
			url := "http://" + server.addr + "/?channel=room+%3Cb%3E"
			tabs := [2]*tab{browser.open(url), browser.open(url)}
			for _, p := range tabs {
				defer browser.call(p.session, "Page.close", nil, nil)
				p.until("a connection and the other tab", isOpen+` && document.getElementById("peer").value !== "none"`)
			}
			tabs[0].burst(25)
			for _, p := range tabs {
				p.saw(50)
			}
			server.stop(t, syscall.SIGINT)
			for _, p := range tabs {
				p.until("the loss of the connection", "!("+isOpen+")")
			}
			startServe(t, server.addr, "--design", design.name)
			for _, p := range tabs {
				p.until("the connection again", isOpen+` && document.getElementById("rows").textContent.includes("started anew")`)
			}
			tabs[1].burst(25)
			for _, p := range tabs {
				p.saw(100)
			}
			divergent := checkOrders(t, tabs, design.own)
			if design.oneOrder && divergent != 0 {
				t.Errorf("%d pairs are divergent in a design with one order", divergent)
			}
			t.Logf("%s: 2 tabs, 100 events, a restart: %d divergent pairs of %d", design.name, divergent, 100*99/2)
			takeShots(t, tabs[0], design.name)
		})
	}
	t.Run("ephemeral", func(t *testing.T) {
		browser.t = t
		lookAtEphemeral(t, browser)
	})
	browser.t = t
	checkManners(t, browser)
}

// lookAtEphemeral: a sender never hears of its own values there, so each tab shows those of the other one, and says why.
func lookAtEphemeral(t *testing.T, browser *chromium) {
	t.Helper()
	url := "http://" + startServe(t, "127.0.0.1:0", "--design", "ephemeral").addr + "/"
	tabs := [2]*tab{browser.open(url), browser.open(url)}
	for _, p := range tabs {
		defer browser.call(p.session, "Page.close", nil, nil)
		p.until("a connection and the other tab", isOpen+` && document.getElementById("peer").value !== "none"`)
	}
	tabs[0].burst(5)
	for _, p := range tabs {
		p.until("the last value of the other tab", `document.getElementById("rows").textContent.includes("m5")`)
		p.until("the promises", `document.getElementById("promises").textContent.includes("A sender never hears of its own events")`)
		var verdict string
		p.eval(`document.getElementById("verdict").textContent`, &verdict)
		if verdict != "There is no event yet that both tabs have seen." {
			t.Errorf("the page says %q", verdict)
		}
		for _, event := range p.column(0).Events {
			if event.By != "sse" || event.Divergent || !event.Lone {
				t.Errorf("the page shows %+v", event)
			}
		}
	}
	takeShots(t, tabs[0], "ephemeral")
}

// checkOrders holds what both tabs show against the definition, and returns how many pairs are divergent.
func checkOrders(t *testing.T, tabs [2]*tab, ownBy string) (divergent int) {
	t.Helper()
	var names [2]string
	for i, p := range tabs {
		p.eval(`document.getElementById("me").textContent`, &names[i])
	}
	var orders [2][]string
	for i, p := range tabs {
		other := tabs[1-i]
		orders[i] = p.titles(0, names[i], names[1-i])
		if told := other.titles(1, names[i], names[1-i]); strings.Join(told, "\n") != strings.Join(orders[i], "\n") {
			t.Errorf("tab %s saw\n%q, and the other tab shows of it\n%q", names[i], orders[i], told)
		}
	}
	place := make(map[string]int)
	for i, title := range orders[1] {
		place[title] = i
	}
	partners := make(map[string]int)
	for i, a := range orders[0] {
		if _, there := place[a]; !there {
			t.Errorf("%q was seen by one tab only", a)
		}
		for _, b := range orders[0][i+1:] {
			if place[a] > place[b] {
				divergent++
				partners[a]++
				partners[b]++
			}
		}
	}
	if len(orders[0]) != 100 || len(place) != 100 {
		t.Errorf("%d and %d different events were seen, want 100", len(orders[0]), len(place))
	}
	for i, p := range tabs {
		var verdict string
		p.eval(`document.getElementById("verdict").dataset.verdict + ": " + document.getElementById("verdict").textContent`, &verdict)
		want := "same: Both tabs have seen 100 events, in one order."
		if divergent == 1 {
			want = "divergent: 1 divergent pair of 4,950 pairs that both tabs have seen"
		} else if divergent > 0 {
			want = fmt.Sprintf("divergent: %d divergent pairs of 4,950 pairs that both tabs have seen", divergent)
		}
		if verdict != want {
			t.Errorf("tab %s says %q, want %q", names[i], verdict, want)
		}
		column := p.column(0)
		anew := 0
		for _, note := range column.Notes {
			if strings.Contains(note, "the server was started anew") {
				anew++
			}
		}
		if anew != 1 {
			t.Errorf("tab %s has the notes %q, want one of the restart", names[i], column.Notes)
		}
		for at, event := range column.Events {
			title := orders[i][at]
			by := "sse"
			if strings.HasPrefix(title, names[i]) {
				by = ownBy
			}
			if event.By != by || event.Divergent != (partners[title] > 0) || event.Lone {
				t.Errorf("tab %s shows %q as %+v; it came by %s and is in %d divergent pairs", names[i], title, event, by, partners[title])
			}
		}
	}
	return divergent
}

// takeShots makes pictures for a person to look at.
func takeShots(t *testing.T, p *tab, design string) {
	t.Helper()
	if *shots == "" {
		return
	}
	if err := os.MkdirAll(*shots, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{1280, 400} {
		for _, scheme := range []string{"light", "dark"} {
			p.eval(`document.querySelector("td.note")?.scrollIntoView({ block: "center" }); scrollTo(0, 0)`, nil)
			p.screenshot(filepath.Join(*shots, fmt.Sprintf("%s-%d-%s.png", design, width, scheme)), width, scheme)
			var overflow bool
			p.eval("document.documentElement.scrollWidth > document.documentElement.clientWidth", &overflow)
			if overflow {
				t.Errorf("at %d px the page is wider than its window", width)
			}
		}
	}
}

// checkManners: nothing was thrown, nothing was asked of another host, and nothing broke the page's policy.
func checkManners(t *testing.T, b *chromium) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	asked := 0
	for _, m := range b.told {
		params, _ := m.Params.(json.RawMessage)
		text := string(params)
		switch m.Method {
		case "Runtime.exceptionThrown":
			t.Errorf("a script threw: %s", text)
		case "Network.requestWillBeSent":
			var sent struct {
				Request struct{ URL string }
			}
			if err := json.Unmarshal(params, &sent); err != nil {
				t.Error(err)
			}
			asked++
			if url := sent.Request.URL; !strings.HasPrefix(url, "http://127.0.0.1:") && !strings.HasPrefix(url, "data:,") {
				t.Errorf("the page asked for %s", url)
			}
		case "Log.entryAdded":
			if strings.Contains(text, "Content Security Policy") || strings.Contains(text, `"security"`) {
				t.Errorf("the browser complains: %s", text)
			}
		}
	}
	if asked == 0 {
		t.Error("the browser did not say what it asked for")
	}
}

// TestVerifyPageOrder holds the page's comparison of two orders against its definition, in the browser that carries it out.
func TestVerifyPageOrder(t *testing.T) {
	if !*verify {
		t.Skip("starts a browser: make verify-page")
	}
	p := startChromium(t).open("http://" + startServe(t, "127.0.0.1:0").addr + "/")
	p.until("the page", isOpen)
	var wrong []string
	p.eval(`import("/page_order.js").then(({ compare }) => {
		let state = 1;
		const random = (n) => { state = (state * 48271) % 2147483647; return state % n; };
		const wrong = [];
		for (let round = 0; round < 3000; round++) {
			const order = () => {
				const ids = Array.from({ length: random(12) }, (_, i) => "e" + (i + random(3))).filter((id, i, all) => all.indexOf(id) === i);
				for (let swaps = random(6); swaps > 0 && ids.length > 1; swaps--) {
					const [i, j] = [random(ids.length), random(ids.length)];
					[ids[i], ids[j]] = [ids[j], ids[i]];
				}
				return ids.flatMap((id) => random(8) ? [{ id }] : [{ remark: "r" }, { id }]);
			};
			const [mine, theirs] = [order(), order()];
			const place = new Map(theirs.filter((e) => e.id).map((e, i) => [e.id, i]));
			const common = mine.filter((e) => place.has(e.id)).map((e) => e.id);
			const partners = new Map();
			let divergent = 0;
			common.forEach((a, i) => common.slice(i + 1).forEach((b) => {
				if (place.get(a) < place.get(b)) return;
				divergent++;
				for (const id of [a, b]) partners.set(id, (partners.get(id) ?? 0) + 1);
			}));
			const got = compare(mine, theirs, 4);
			const sorted = (map) => JSON.stringify([...map].sort());
			const side = (k) => JSON.stringify(got.rows.map((row) => row[k]).filter(Boolean));
			const agreedApart = got.rows.some(([a, b]) => a?.id && place.has(a.id) && !partners.has(a.id) && b?.id !== a.id);
			const inverted = got.pairs.every(([a, b]) => common.indexOf(a) < common.indexOf(b) && place.get(a) > place.get(b));
			if (got.divergent !== divergent || got.common !== common.length || sorted(got.partners) !== sorted(partners) ||
				side(0) !== JSON.stringify(mine) || side(1) !== JSON.stringify(theirs) || agreedApart || !inverted ||
				got.pairs.length !== Math.min(4, divergent)) {
				wrong.push(JSON.stringify({ round, mine, theirs, got, divergent }));
			}
		}
		return wrong.slice(0, 3);
	})`, &wrong)
	for _, w := range wrong {
		t.Error(w)
	}
}
