package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"holobench/history"
	"holobench/run"
)

// trialText writes what a trial met, a line a thing. What is wrong has a remedy below it.
type trialText struct {
	t    *run.Trial
	w    *tabwriter.Writer
	hide *strings.Replacer
	bad  bool
}

// printTrial writes a trial for a person, without any secret; good = it was all that it should be.
func printTrial(out io.Writer, t *run.Trial, secrets []string) (good bool, err error) {
	p := &trialText{t: t, w: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0), hide: hiding(secrets)}
	p.line("client", "%s, channel %s", t.Client, strconv.Quote(t.Channel))
	p.requests()
	p.stream()
	p.beats()
	p.ends()
	if t.Sends && t.Ready > 0 {
		p.command()
		p.marker()
	}
	p.unknown()
	return !p.bad, p.w.Flush()
}

func (p *trialText) line(what, format string, values ...any) {
	fmt.Fprintf(p.w, "%s\t%s\n", what, p.hide.Replace(fmt.Sprintf(format, values...)))
}

// remedy says what to do about what the line before says.
func (p *trialText) remedy(format string, values ...any) {
	p.bad = true
	p.line("", "remedy: "+format, values...)
}

// requests are those that lead to the stream.
func (p *trialText) requests() {
	stream, _ := p.t.Stream()
	command, _ := p.t.Command()
	for i := range p.t.Exchanges {
		e := &p.t.Exchanges[i]
		if e == stream || e == command || e.HTTP2 || e.ForStream && p.t.Ready > 0 && e.Asked > p.t.Ready {
			continue // of a stream that was asked for again, or a poll, the first says all
		}
		p.line("request", "%s", exchanged(e))
		if e.Status >= 400 {
			p.said(e)
		}
		if e.Broken != "" {
			p.remedy("%s", e.Broken)
		}
	}
}

// exchanged is a request and its answer.
func exchanged(e *run.Exchange) string {
	text := e.Method + " " + strconv.Quote(e.Path)
	switch {
	case e.HTTP2:
		return "by HTTP/2, which is not looked into"
	case e.Head == 0:
		return text + ": no answer"
	}
	text += fmt.Sprintf(": %d after %s", e.Status, run.Brief(e.Head-e.Asked))
	if e.ContentType != "" {
		text += ", " + strconv.Quote(e.ContentType)
	}
	return text
}

// stream is the down stream: whether it is there, and by what.
func (p *trialText) stream() {
	e, ok := p.t.Stream()
	switch {
	case p.t.Ready > 0 && ok:
		p.line("stream", "open after %s: %s", run.Brief(p.t.Ready-p.t.Began()), exchanged(e))
	case p.t.Ready > 0:
		p.line("stream", "open after %s", run.Brief(p.t.Ready-p.t.Began()))
	case ok:
		p.line("stream", "NOT OPEN: %s", exchanged(e))
		p.said(e)
		p.notOpen(e)
	default:
		p.line("stream", "NOT OPEN: it was never asked for")
		p.notAsked()
	}
	if !ok || e.Head == 0 && !e.HTTP2 {
		return
	}
	p.carried(e)
}

// carried says by what the stream comes.
func (p *trialText) carried(e *run.Exchange) {
	version := e.Version
	switch {
	case e.Status == 101:
		version += ", then a WebSocket"
	case e.Chunked:
		version += ", in chunks"
	}
	p.line("http", "%s", version)
	if e.HTTP2 {
		return
	}
	if e.Encoding == "" {
		p.line("compression", "none; holobench asks for none")
	} else {
		p.line("compression", "%s, though nobody asked for it", strconv.Quote(e.Encoding))
		p.remedy("turn it off for this path: a compressor holds events back until its buffer is full")
	}
	verdict, why := p.t.Buffering()
	if e.Accel != "" {
		why += "; the server says X-Accel-Buffering: " + strconv.Quote(e.Accel)
	}
	if e.Via != "" {
		why += "; via " + strconv.Quote(e.Via)
	}
	p.line("buffering", "%s: %s", verdict, why)
	if verdict == "likely" {
		p.remedy("let the server send X-Accel-Buffering: no, or turn proxy_buffering off, and flush each event")
	}
}

// notOpen says what may be done about an answer that is no stream.
func (p *trialText) notOpen(e *run.Exchange) {
	names := p.eventNames()
	switch {
	case e.Broken != "":
		p.remedy("%s", e.Broken)
	case e.HTTP2:
		p.remedy("%s", p.refusal("look into the log of the server"))
	case e.Head == 0 && p.t.Refused == nil:
		p.remedy("the server took the request and sent no head in %s: does it flush the head before the first event? is it this path?", run.Brief(p.t.Lasted-e.Asked))
	case e.Status == 401, e.Status == 403:
		p.remedy("it wants to know who asks: server.login for a session, or headers: {Authorization: \"Bearer ${env.TOKEN}\"}")
	case e.Status == 404, e.Status == 405:
		p.remedy("there is nothing by that path and method: compare both with what the browser asks for (its network tab), and with server.url")
	case e.Status >= 300 && e.Status < 400:
		p.remedy("the server sends the client elsewhere, often to a login: see server.login, or write the address that it leads to")
	case e.Status >= 500 || e.Status == 429:
		p.remedy("the server itself fails, or has enough: look into its log")
	case e.Streams && len(names) > 0:
		p.remedy("the stream came, with the events %s, but none by which it is ready: see subscribe.ready", strings.Join(names, ", "))
	case e.Streams:
		p.remedy("the stream came, but nothing on it by which it is ready: see subscribe.ready, and leave it out where nothing is sent at first")
	case strings.Contains(e.ContentType, "html"):
		p.remedy("that is a page and no stream: is the client logged in, and is it this path?")
	default:
		p.remedy("%s", p.refusal("the answer is no stream: compare subscribe.request and subscribe.framing with what the browser does"))
	}
}

// notAsked says why the client never came to ask for a stream.
func (p *trialText) notAsked() {
	p.remedy("%s", p.refusal("a request before it never ended: see the lines above"))
}

// refusal is what the client says of it, or else a guess.
func (p *trialText) refusal(guess string) string {
	if p.t.Refused != nil {
		return p.t.Refused.Error()
	}
	if len(p.t.Ends) > 0 {
		return "the connection ended: " + p.t.Ends[0].Why
	}
	return guess
}

// eventNames are the events that came, each once.
func (p *trialText) eventNames() []string {
	var names []string
	for i := range p.t.Events {
		name := p.t.Events[i].Name
		if name == "" {
			name = "message"
		}
		if quoted := strconv.Quote(name); !slices.Contains(names, quoted) {
			names = append(names, quoted)
		}
	}
	return names[:min(len(names), 8)]
}

// beats says how often the stream gives a sign of life.
func (p *trialText) beats() {
	beats := p.t.Beats
	if p.t.Ready == 0 {
		return
	}
	listened := p.t.Lasted - p.t.Ready
	switch len(beats) {
	case 0:
		p.line("heartbeat", "none in %s", run.Brief(listened))
	case 1:
		p.line("heartbeat", "one, %s after the stream was open", run.Brief(beats[0]-p.t.Ready))
	default:
		p.line("heartbeat", "every %s (%d seen)", run.Brief((beats[len(beats)-1]-beats[0])/time.Duration(len(beats)-1)), len(beats))
	}
}

// ends says who ended the stream, and when.
func (p *trialText) ends() {
	ends := p.t.Ends
	if p.t.Ready == 0 {
		return
	}
	if len(ends) == 0 {
		p.line("end", "still open after %s", run.Brief(p.t.Lasted-p.t.Ready))
		return
	}
	p.line("end", "after %s, not by the client: %s (%s in all)", run.Brief(ends[0].After), ends[0].Why, plural(len(ends), "end"))
	p.line("", "is that how long an idle stream lives here, by a timeout of the server or of a proxy? then a heartbeat that comes sooner keeps it open")
}

// command is what became of the command.
func (p *trialText) command() {
	t := p.t
	text := "not sent"
	e, ok := t.Command()
	if ok {
		text = exchanged(e)
	} else if t.Sent > 0 {
		text = fmt.Sprintf("sent, settled after %s", run.Brief(max(0, t.Settled-t.Sent)))
	}
	switch {
	case t.Settled == 0:
		p.line("command", "NO REPLY: %s", text)
		p.remedy("it had no reply within %s: does the server answer only later? --for gives it longer", run.Brief(t.Lasted-max(t.Sent, t.Ready)))
	case t.Outcome != "":
		p.line("command", "FAILED: %s: %s", text, t.Outcome)
		p.said(e)
		p.remedy("compare publish.request with what the browser sends (its network tab): path, headers, body, a CSRF token; publish.ok says which answers are good")
	default:
		p.line("command", "%s", text)
	}
}

// marker says where the client's own event came.
func (p *trialText) marker() {
	t := p.t
	if t.Outcome == "" && t.Settled > 0 || len(t.Heard) > 0 {
		p.found()
	}
	switch {
	case len(t.Heard) > 0:
	case t.Outcome != "" || t.Settled == 0:
		return
	case p.seen():
		p.remedy("the marker came, but not where the protocol file looks for it: see events.message and its payload")
	case len(t.Events) > 0:
		p.line("marker", "NOT FOUND, in %s: %s", plural(len(t.Events), "event"), strings.Join(p.eventNames(), ", "))
		p.remedy("does the app pass on what ${payload} stands in? put it where others see it; where the app takes no text, see identity.marker, and identity.reply_id")
	default:
		p.line("marker", "NOT FOUND: nothing came by the stream")
		p.remedy("does the client listen where it sends to? compare the channel in subscribe.request and publish.request; a server may also leave the sender out")
	}
	p.echo()
}

// found are the places in which the marker stood.
func (p *trialText) found() {
	if e, ok := p.t.Command(); ok && len(e.Found) > 0 {
		p.line("marker", "in the reply, at %s", strings.Join(e.Found, ", "))
	}
	told := make(map[string]bool)
	for i := range p.t.Events {
		e := &p.t.Events[i]
		if len(e.Found) == 0 {
			continue
		}
		name := ""
		if e.Name != "" {
			name = " in the event " + strconv.Quote(e.Name) + ","
		}
		if text := "by the stream," + name + " at " + strings.Join(e.Found, ", "); !told[text] {
			told[text] = true
			p.line("marker", "%s", text)
		}
	}
}

// seen says whether the marker came at all.
func (p *trialText) seen() bool {
	e, ok := p.t.Command()
	return ok && len(e.Found) > 0 || slices.ContainsFunc(p.t.Events, func(e run.TrialEvent) bool { return len(e.Found) > 0 })
}

// echo says by which way the client hears of its own event.
func (p *trialText) echo() {
	if len(p.t.Heard) == 0 {
		p.line("self-echo", "none")
		return
	}
	var ways []string
	twice := false
	for _, h := range p.t.Heard {
		way := "the stream (" + h.Path.String() + ")"
		if h.Path == history.Reply {
			way = "the reply"
		}
		ways = append(ways, fmt.Sprintf("%s, %s, %s after it was sent", way, times(h.Times), run.Brief(h.First-p.t.Sent)))
		twice = twice || h.Times > 1
	}
	p.line("self-echo", "by %s", strings.Join(ways, "; by "))
	if twice {
		p.line("", "more than once by one way is a duplicate, unless the app says in several events what one command did")
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}

// unknown are events that mean nothing to the client.
func (p *trialText) unknown() {
	for _, u := range p.t.Unknown {
		p.line("unknown", "%s: %s", u.What, times(u.Times))
	}
	if len(p.t.Unknown) > 0 {
		p.line("", "what means nothing belongs into events.ignore; what ends a stream, into events.disconnect; the app's own events may well be among them")
	}
}
