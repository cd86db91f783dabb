package har

import (
	"maps"
	"slices"
	"strings"
)

// scenario writes a small run against the server. send is the name of the command, "" = the usual; certain says that the channel is no
// guess.
func (d *deduction) scenario(parts *plan, protocol, send string, certain bool) Files {
	p := new(page)
	p.comment(0, "Made from the recording "+shown(d.names.Recording)+" by holobench new --from. docs/scenarios.md explains every key; comments that begin with CHECK mark guesses.")
	p.line(0, "version: 1")
	p.line(0, "server:")
	p.line(2, "url: %s", scalar(d.stream.url.Scheme+"://"+d.stream.url.Host))
	if host := d.stream.url.Hostname(); d.stream.url.Scheme == "https" && (host == "localhost" || strings.HasPrefix(host, "127.")) {
		p.check(2, "a certificate of this machine may be one that nobody vouches for: insecure: true")
	}
	p.line(2, "protocol: %s", scalar(protocol))
	if len(d.missing) > 0 {
		p.check(2, "the browser had cookies that nothing in the recording has set: "+shown(strings.Join(slices.Sorted(maps.Keys(d.missing)), ", "))+
			". Record from the login on, or export COOKIE='NAME=VALUE; ...'; leave this out if they make no difference")
		p.line(2, "headers: {Cookie: %s}", scalar("${env.COOKIE}"))
	}
	if len(parts.login) > 0 && !d.sensitive() {
		p.check(2, "somebody logged in, and there is no cookie and no Authorization anywhere: Chrome leaves them out unless it is told to save sensitive data. "+
			"Record again, or look at what the requests behind the login have to bear")
	}
	if len(parts.login) > 0 {
		p.check(2, "every client logs in as the one who was recorded. With users of its own each: a feed, and ${users.name} in place of the name")
		d.writeList(p, 2, "login", parts.login, "")
	}
	p.line(0, "clients:")
	channel := d.channel
	switch {
	case channel == "":
		channel = "all"
	case !certain:
		p.check(2, shown(channel)+" was taken for the channel, since it stands where the stream is asked for and in the command. Several: {pattern: \"room-${n}\", count: 10}")
	}
	p.line(2, "members: {count: 5, channel: %s}", scalar(strings.ReplaceAll(channel, "${", "$${")))
	p.line(0, "load:")
	with := ""
	if send != "" {
		with = ", send: " + scalar(send)
	}
	p.line(2, "talk: {by: members%s, rate: 5/s, for: 5s}", with)
	p.line(0, "budgets:")
	p.line(2, "reach: value==1")
	p.line(2, "events_duplicated: count==0")
	return Files{Scenario: p.b.String(), Checks: p.checks}
}

// sensitive says whether a recording has in it what Chrome leaves out by default.
func (d *deduction) sensitive() bool {
	return slices.ContainsFunc(d.recording.exchanges, func(x *exchange) bool {
		return first(x.header, "Cookie")+first(x.header, "Authorization")+first(x.answerHeader, "Set-Cookie") != ""
	})
}
