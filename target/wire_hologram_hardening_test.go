package target_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/target"
	"holobench/wire/hologram"
)

// hologramRule is one request and how it must be answered. In its texts COOKIE, CSRF, INSTANCE and HANDSHAKE stand for those of a
// tab with a stream, and those with OTHER in front for those of another session.
type hologramRule struct {
	name, head, body string
	headers          string // "Name: value", separated by blanks behind each value
	status           int
	answer           string // its first line
}

func hologramRulesOfCommands() []hologramRule {
	command := func(change func(*hologram.Command)) string {
		c := hologram.EventCommand{Instance: "INSTANCE", Channel: "red", Name: "message", Payload: "1"}.Command()
		change(&c)
		body := string(hologram.AppendCommand(nil, c))
		for _, name := range []string{"OTHERINSTANCE", "INSTANCE"} {
			body = strings.ReplaceAll(body, fmt.Sprintf("%x", name), "HEX"+name)
		}
		return body
	}
	valid := command(func(*hologram.Command) {})
	const path, all = "POST " + hologram.CommandPath, "Cookie: COOKIE; X-Csrf-Token: CSRF"
	const noCommand = "Elixir.Holobench.Page has no such command"
	params := func(keysAndValues ...hologram.Term) string {
		return command(func(c *hologram.Command) { c.Params = hologram.Map(keysAndValues...) })
	}
	atom, text := hologram.Atom, hologram.Text
	return []hologramRule{
		{"no cookie", path, valid, "X-Csrf-Token: CSRF", 403, "Forbidden"},
		{"no token", path, valid, "Cookie: COOKIE", 403, "Forbidden"},
		{"two tokens", path, valid, all + "; X-Csrf-Token: CSRF", 403, "Forbidden"},
		{"another session's token", path, valid, "Cookie: COOKIE; X-Csrf-Token: OTHERCSRF", 403, "Forbidden"},
		{"another session's cookie", path, valid, "Cookie: OTHERCOOKIE; X-Csrf-Token: CSRF", 403, "Forbidden"},
		{"a cookie that is a receipt", path, valid, "Cookie: _holobench_key=RECEIPT; X-Csrf-Token: CSRF", 403, "Forbidden"},
		{"a token that is nothing", path, valid, "Cookie: COOKIE; X-Csrf-Token: CSRFx", 403, "Forbidden"},
		{"another session's instance", path, command(func(c *hologram.Command) { c.InstanceID = "OTHERINSTANCE" }), all, 403, "Forbidden"},
		{"no instance", path, command(func(c *hologram.Command) { c.InstanceID = "" }), all, 403, "Forbidden"},
		{"an instance that is long", path, command(func(c *hologram.Command) { c.InstanceID = "INSTANCEx" }), all, 403, "Forbidden"},
		{"an instance in capitals", path, command(func(c *hologram.Command) { c.InstanceID = strings.Repeat("Ä", 18) }), all, 403, "Forbidden"},
		{
			"an unknown module", path, command(func(c *hologram.Command) { c.Module = "Elixir.Other.Page" }), all, 500,
			"the only module here is Elixir.Holobench.Page",
		},
		{"an empty name", path, command(func(c *hologram.Command) { c.Name = "" }), all, 500, noCommand},
		{"a name with a line end", path, command(func(c *hologram.Command) { c.Name = "a\nb" }), all, 500, noCommand},
		{"a long name", path, command(func(c *hologram.Command) { c.Name = strings.Repeat("n", 201) }), all, 500, noCommand},
		{
			"a later version", path, command(func(c *hologram.Command) { c.Receipts = []string{} }), all, 500,
			"Hologram v0.9 to v0.11 know no sub_receipts",
		},
		{
			"no payload", path, params(atom("channel"), text("red")), all, 500,
			"reading a command: its params must have a payload, and a channel that is not empty",
		},
		{
			"another param", path, params(atom("channel"), text("red"), atom("payload"), text(""), atom("room"), text("")), all, 500,
			`reading a command: its param "room": a command that sends an event has no such param`,
		},
		{
			"a version", path, params(atom("channel"), text("red"), atom("payload"), text(""), atom("id"), text("1")), all, 400,
			"the design hologram has no versions: id and base mean nothing here",
		},
		{
			"a channel with a line end", path, params(atom("channel"), text("a\nb"), atom("payload"), text("")), all, 400,
			`channel "a\nb" holds a control character`,
		},
		{"no JSON", path, "[3,", all, 400, "reading a command: at byte 3: found the end where '{' must stand"},
		{"JSON, and no term", path, "{}", all, 500, "reading a command: at byte 0: found '{' where '[' must stand"},
		{"plain text", path, valid, all + "; Content-Type: text/plain", 415, "a term is application/json"},
		{"a long body", path, strings.Repeat(" ", 64<<10) + valid, all, 413, "a command has at most 65536 bytes"},
		{"GET", "GET " + hologram.CommandPath, "", all, 405, "/hologram/command takes POST only"},
		{"what is right", path, valid, all, 200, `{"action":"Type.map`},
	}
}

func hologramRulesOfStreams() []hologramRule {
	shake := func(instance string, tokens ...string) string {
		body := string(hologram.AppendHandshake(nil, hologram.Handshake{InstanceID: instance, Receipts: tokens}))
		return strings.ReplaceAll(body, fmt.Sprintf("%x", instance), "HEX"+instance)
	}
	const path, session = "POST " + hologram.HandshakePath, "Cookie: COOKIE"
	const unknown, mismatch = "Handshake redemption failed", "Handshake identity mismatch"
	stream := func(instance, handshake string) string { return "GET " + eventsPath(instance, handshake) }
	return []hologramRule{
		{"handshake without a session", path, shake("INSTANCE"), "", 401, "Unauthorized"},
		{"handshake of a forged session", path, shake("INSTANCE"), "Cookie: COOKIEx", 401, "Unauthorized"},
		{"handshake of another session's instance", path, shake("OTHERINSTANCE"), session, 403, "Forbidden"},
		{"handshake without JSON", path, "{", session, 400, "reading a handshake: at byte 0: found '{' where '[' must stand"},
		{"handshake without a term", path, `[3,"anil"]`, session, 500, `reading a handshake: at byte 3: found '"' where '{' must stand`},
		{"handshake of many", path, shake("INSTANCE", make([]string, 65)...), session, 400, "there are 65 receipts; at most 64 are allowed"},
		{"handshake as plain text", path, shake("INSTANCE"), session + "; Content-Type: text/plain", 415, "a term is application/json"},
		{"GET of a handshake", "GET " + hologram.HandshakePath, "", session, 405, "/hologram/sse/handshake takes POST only"},
		{"handshake that is right", path, shake("INSTANCE"), session, 200, `{"handshakeId":"`},
		{"stream without a session", stream("INSTANCE", "HANDSHAKE"), "", "", 401, "Unauthorized"},
		{"stream without a handshake", "GET " + hologram.EventsPath + "?instance_id=INSTANCE", "", session, 400, unknown},
		{"stream of a forged handshake", stream("INSTANCE", "HANDSHAKEx"), "", session, 400, unknown},
		{"stream of a receipt", stream("INSTANCE", "RECEIPT"), "", session, 400, unknown},
		{"stream of another session", stream("INSTANCE", "HANDSHAKE"), "", "Cookie: OTHERCOOKIE", 400, mismatch},
		{"stream of another instance", stream("OTHERINSTANCE", "HANDSHAKE"), "", session, 400, mismatch},
		{"stream of another's handshake", stream("INSTANCE", "OTHERHANDSHAKE"), "", session, 400, mismatch},
		{"stream with a broken query", "GET " + hologram.EventsPath + "?instance_id=%zz", "", session, 400, `reading the query: invalid URL escape "%zz"`},
		{"stream with a body", stream("INSTANCE", "HANDSHAKE"), "x", session, 400, "a request for events has no body"},
		{"POST to a stream", "POST " + hologram.EventsPath, "", session, 405, "/hologram/sse takes GET only"},
		{"page without a channel", "GET " + target.HologramPagePath, "", "", 400, "channel is missing"},
		{"page with a line end", "GET " + target.HologramPagePath + "?channel=a%0A", "", "", 400, `channel "a\n" holds a control character`},
		{"page of many channels", "GET " + target.HologramPagePath + "?" + strings.Repeat("&channel=a", 65), "", "", 400, "channel is given 65 times; at most 64 are allowed"},
		{"page with a broken query", "GET " + target.HologramPagePath + "?%zz", "", "", 400, `reading the query: invalid URL escape "%zz"`},
		{"POST to the page", "POST " + target.HologramPagePath, "", "", 405, "/hologram/room takes GET, HEAD only"},
		{"page with a forged session", "GET " + target.HologramPagePath + "?channel=a", "", "Cookie: COOKIEx", 200, "<!DOCTYPE html>"},
		{"POST to ping", "POST " + hologram.PingPath, "", "", 405, "/hologram/ping takes GET, HEAD only"},
	}
}

// TestHologramWireHardening holds the wire to each rule. Only who comes with an unknown handshake is kept waiting.
func TestHologramWireHardening(t *testing.T) {
	t.Parallel()
	for _, rule := range append(hologramRulesOfCommands(), hologramRulesOfStreams()...) {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, hologramOptions(), nil)
				ann, other := w.join("red"), w.join("red")
				fill := strings.NewReplacer(
					"HEXOTHERINSTANCE", fmt.Sprintf("%x", other.page.InstanceID), "HEXINSTANCE", fmt.Sprintf("%x", ann.page.InstanceID),
					"OTHERINSTANCE", other.page.InstanceID, "INSTANCE", ann.page.InstanceID,
					"OTHERHANDSHAKE", other.shake.HandshakeID, "HANDSHAKE", ann.shake.HandshakeID,
					"OTHERCOOKIE", other.cookie, "COOKIE", ann.cookie, "OTHERCSRF", other.page.CSRFToken, "CSRF", ann.page.CSRFToken,
					"RECEIPT", ann.page.Receipts[0].Token,
				)
				var headers []string
				if rule.headers != "" {
					headers = strings.Split(fill.Replace(rule.headers), "; ")
				}
				status, _, body := w.ask(fill.Replace(rule.head), fill.Replace(rule.body), headers...)
				answer, _, _ := strings.Cut(body, "\n")
				if status != rule.status || answer != rule.answer && (status != http.StatusOK || !strings.HasPrefix(answer, rule.answer)) {
					t.Errorf("answered %d %s, want %d %s", status, body, rule.status, rule.answer)
				}
				waited := time.Duration(0)
				if rule.answer == "Handshake redemption failed" {
					waited = 500 * time.Millisecond
				}
				if took := time.Since(w.start); took != waited {
					t.Errorf("it took %v, want %v", took, waited)
				}
				figures := w.counters.Snapshot()
				accepted := uint64(0)
				if status == http.StatusOK && strings.HasSuffix(rule.head, hologram.CommandPath) {
					accepted = 1
				}
				if figures["commands_accepted"] != accepted || figures["commands_received"] != accepted+figures["commands_rejected"] ||
					figures["streams_opened"] != 2 {
					t.Errorf("it was counted as %v", figures)
				}
				w.shutdown()
			})
		})
	}
}

// TestHologramWireLimits: a handshake is good for a minute, a receipt for three days, each for its own instance, and streams are
// bounded.
func TestHologramWireLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := hologramOptions()
		o.MaxStreams = 2
		w := newWorld(t, o, nil)
		ann, bob := w.load("red", "blue"), w.load("red")
		receipts := func(c *tab, tokens ...string) string {
			status, body := c.handshakeWith(tokens...)
			shake, err := hologram.ParseHandshakeReply([]byte(body))
			if status != http.StatusOK || err != nil {
				t.Errorf("answered %d %s, %v", status, body, err)
			}
			var names []string
			for _, r := range shake.Receipts {
				names = append(names, string(hologram.AppendExpression(nil, r.Channel))+" "+r.CID)
			}
			return strings.Join(names, ", ")
		}
		const red, blue = `Type.tuple([Type.atom("room"), Type.bitstring("red")]) page`, `Type.tuple([Type.atom("room"), Type.bitstring("blue")]) page`
		annRed, annBlue, bobRed := ann.page.Receipts[0].Token, ann.page.Receipts[1].Token, bob.page.Receipts[0].Token
		if got := receipts(ann, bobRed, annBlue, "forged", annRed+"x", annRed, ann.page.InstanceID, annBlue); got != blue+", "+red {
			t.Errorf("ann's receipts are %s", got)
		}
		time.Sleep(72*time.Hour - 1)
		if got := receipts(ann, annRed, annBlue); got != red+", "+blue {
			t.Errorf("after three days ann's receipts are %s", got)
		}
		ann.handshake()
		time.Sleep(time.Nanosecond)
		if got := receipts(ann, annRed, annBlue); got != "" {
			t.Errorf("after more than three days ann's receipts are %s", got)
		}
		time.Sleep(time.Minute - 2*time.Nanosecond)
		ann.attach()
		time.Sleep(time.Nanosecond)
		status, _, body := w.ask("GET "+eventsPath(ann.page.InstanceID, ann.shake.HandshakeID), "", "Cookie: "+ann.cookie)
		if status != http.StatusBadRequest || body != "Handshake redemption failed\n" {
			t.Errorf("after a minute the stream was answered %d %s", status, body)
		}
		bob = w.join("red", "blue")
		bob.say("blue", "1")
		ann.heard("1")
		late := w.load("red")
		late.handshake()
		status, header, _ := w.ask("GET "+eventsPath(late.page.InstanceID, late.shake.HandshakeID), "", "Cookie: "+late.cookie)
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") != "1" {
			t.Errorf("the third stream was answered %d", status)
		}
		w.count("streams_opened=2 streams_refused=2")
		w.shutdown()
	})
}

// TestHologramWireSecret: nodes of another target take nothing.
func TestHologramWireSecret(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hologramOptions(), nil)
		o := hologramOptions()
		o.Secret, o.HandshakeWait = "another", time.Second
		stranger := newWorld(t, o, nil)
		ann := w.join("red")
		ann.w = stranger
		if status, body := ann.command(""); status != http.StatusForbidden {
			t.Errorf("the command was answered %d %s", status, body)
		}
		if status, body := ann.handshakeWith(); status != http.StatusUnauthorized {
			t.Errorf("the handshake was answered %d %s", status, body)
		}
		there := stranger.load("red")
		status, _, _ := stranger.ask("GET "+eventsPath(ann.page.InstanceID, ann.shake.HandshakeID), "", "Cookie: "+there.cookie)
		if status != http.StatusBadRequest || time.Since(w.start) != time.Second {
			t.Errorf("after %v the stream was answered %d", time.Since(w.start), status)
		}
		w.shutdown()
		stranger.shutdown()
	})
}
