package scenarios

import (
	"slices"
	"strconv"
	"strings"
)

// numbers is what the name of a channel may be made of: all of it is known before the run.
type numbers struct {
	group   string
	client  int    // in its group, from 1
	n       int    // of the channel, from 1
	channel string // the client's own
}

// name fills in the name of a channel.
func (t *Template) name(of numbers) string {
	text, _ := t.Append(nil, func(dst []byte, name string) ([]byte, bool) {
		switch name {
		case "client":
			return strconv.AppendInt(dst, int64(of.client), 10), true
		case "n":
			return strconv.AppendInt(dst, int64(of.n), 10), true
		case "group":
			return append(dst, of.group...), true
		case "channel":
			return append(dst, of.channel...), true
		}
		return dst, false
	})
	return string(text)
}

// channelName reads the name of a channel, in which words may stand: client, group, channel, n.
func (r *resolver) channelName(form *text, words ...string) Template {
	if !form.usable() {
		return Template{}
	}
	if err := checkSlips(form.v, words); err != nil {
		r.addError(form.at, form.path, err)
		return Template{}
	}
	before := len(r.list)
	t := r.fill(form, &vocabulary{names: words})
	if len(r.list) > before {
		return Template{}
	}
	if err := checkPlainLabel(t.name(numbers{group: "g", client: maxClients - 1, n: maxChannels - 1, channel: "c"})); err != nil {
		r.addError(form.at, form.path, err)
	}
	return t
}

// checkSlips knows the slips that are made with names of channels.
func checkSlips(name string, words []string) error {
	switch {
	case name == "same":
		return problem(`"same" alone does not say whose channels these are`, "write {same: members}")
	case strings.Contains(name, "${n}") && !slices.Contains(words, "n"):
		return problem("a single name has no number for ${n}", `write {pattern: "`+name+`", count: 20}, or "user-${client}" for a channel of each client's own`)
	}
	return nil
}
