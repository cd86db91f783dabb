package scenarios

import (
	"slices"
	"strconv"
	"strings"
)

// send resolves the step of that name.
func (w *flowReader) send(form *flowStepForm, in nesting) Step {
	s := &Send{Place: placeOf(&form.spot), Name: form.Send.or(defaultSend), Channel: w.channel(&form.Channel), Payload: w.load.Payload}
	w.check(&form.Send, checkLabel)
	if form.To.given() {
		s.To = w.target(&form.To, w.groups)
		if form.Channel.given() {
			w.add(form.To.at, form.To.path+" stands beside channel, and both say where the command goes", "keep one of the two")
		}
	}
	if form.Payload.given() {
		s.Payload = w.payload(&form.Payload, w.words())
	}
	if len(form.With.list) > maxFields {
		w.add(form.With.at, form.With.path+": there are "+counted(len(form.With.list), "field")+", the limit is "+strconv.Itoa(maxFields), "")
	}
	for _, e := range form.With.list {
		if err := checkLabel(e.name); err != nil {
			w.addError(e.key, form.With.path, err)
		}
		s.With = append(s.With, Field{Name: e.name, Value: w.text(&e.form, w.words("payload"))})
	}
	w.sent, w.answered = true, true
	s.OnReply = w.onReply(form, nesting{depth: in.depth + 1, reply: s})
	return s
}

// get resolves the step of that name.
func (w *flowReader) get(form *flowStepForm, in nesting) Step {
	g := &Get{Place: placeOf(&form.spot), Path: w.text(&form.Get, nil)}
	w.checkTarget(&form.Get)
	w.answered = true
	g.OnReply = w.onReply(form, nesting{depth: in.depth + 1})
	return g
}

// checkTarget refuses what is no path at the server.
func (r *resolver) checkTarget(form *text) {
	if form.usable() && !strings.HasPrefix(form.v, "/") && !strings.HasPrefix(form.v, "${") || strings.HasPrefix(form.v, "//") {
		r.add(form.at, form.path+": "+quote(form.v)+" is no path at the server", "begin it with one /")
	}
}

// onReply resolves what is done after replies of each kind.
func (w *flowReader) onReply(form *flowStepForm, in nesting) []OnReply {
	var all []OnReply
	for _, e := range form.OnReply.list {
		if err := checkReplyStatus(e.name); err != nil {
			w.addError(e.key, form.OnReply.path, err)
		} else if shadowed(all, e.name) {
			w.add(e.key, form.OnReply.path+": what stands above takes all replies of the kind "+e.name, "write the narrower kind first: the first that fits is gone through")
		}
		flow := w.read(&e.form, in)
		all = append(all, OnReply{Status: e.name, Flow: flow})
		if len(e.form.items) == 0 && e.form.usable() {
			w.add(e.form.at, e.form.path+": there is no step in it", "write what is done then, or leave "+e.name+" out")
		}
	}
	return all
}

// checkReplyStatus takes a kind of replies.
func checkReplyStatus(s string) error {
	class := len(s) == 3 && s[0] >= '1' && s[0] <= '5' && s[1:] == "xx"
	code, err := strconv.Atoi(s)
	if class || s == OK || s == Failed || err == nil && len(s) == 3 && code >= 100 && code <= 599 {
		return nil
	}
	return problem(quote(s)+" is no kind of replies"+suggest(s, []string{OK, Failed}), "write a status such as 409, a class such as 5xx, ok (which is 2xx), or failed (no whole reply came)")
}

// Matches tells whether a reply is of that kind; status 0 is that of one that did not come.
func (o *OnReply) Matches(status int) bool {
	switch {
	case o.Status == Failed:
		return status == 0
	case o.Status == OK:
		return status >= 200 && status <= 299
	case strings.HasSuffix(o.Status, "xx"):
		return strconv.Itoa(status/100) == o.Status[:1]
	default:
		return strconv.Itoa(status) == o.Status
	}
}

// resend resolves the step of that name.
func (w *flowReader) resend(form *flowStepForm, in nesting) []Step {
	if in.reply == nil {
		w.add(form.at, form.path+": there is no send that a resend could repeat here", "it stands in the on_reply of a send: on_reply: {409: [{resend: 3}]}")
		return nil
	}
	times := w.upTo(&form.Resend, 1, maxResends, "a resend can be")
	return []Step{&Resend{Place: placeOf(&form.spot), Times: int(times)}} //nolint:gosec // within its limits
}

// shadowed tells whether an earlier kind leaves nothing of one.
func shadowed(all []OnReply, status string) bool {
	class := ""
	if len(status) == 3 {
		class = status[:1] + "xx"
	}
	return slices.ContainsFunc(all, func(o OnReply) bool {
		return o.Status == status || class != "" && (o.Status == class || class == "2xx" && o.Status == OK) || status == OK && o.Status == "2xx"
	})
}
