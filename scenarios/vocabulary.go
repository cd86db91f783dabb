package scenarios

import (
	"slices"
	"strings"
)

// vocabulary is what the templates at one place may name.
type vocabulary struct {
	names   []string // in the order in which an error lists them
	later   []string // names under which there may be nothing yet, so that they need a default
	open    []string // beginnings behind which anything may stand: "reply.header."
	clients int      // the clients that fill it in, for feeds that have a row for each
}

// ownNames are the names of holobench itself, or their beginnings: nobody may take them for something else.
func ownNames() []string {
	return append(reservedNames(), "n", "iteration", "reply", "event")
}

// fill reads a template. What the environment knows is filled in, so that whoever carries it out needs the names of a client only.
func (r *resolver) fill(form *text, v *vocabulary) Template {
	if !form.usable() {
		return Template{}
	}
	t, err := ParseTemplate(form.v)
	if err != nil {
		r.addError(form.at, form.path, err)
		return Template{}
	}
	environment := &adapter{resolver: r}
	var parts []part
	for _, p := range t.parts {
		if p.name != "" {
			if value, fixed := environment.constant(form, &p); fixed {
				filled, _ := p.append(nil, func(dst []byte, _ string) ([]byte, bool) { return append(dst, value...), value != "" })
				p = part{literal: string(filled)}
			} else {
				r.checkWord(form, &p, v)
			}
		}
		if last := len(parts) - 1; p.name == "" && last >= 0 && parts[last].name == "" {
			parts[last].literal += p.literal
			continue
		}
		parts = append(parts, p)
	}
	t.parts = parts
	return t
}

// checkWord notes a name that nothing stands for.
func (r *resolver) checkWord(form *text, p *part, v *vocabulary) {
	r.checkRows(form, p.name, v.clients)
	switch {
	case slices.Contains(v.names, p.name), slices.ContainsFunc(v.open, func(open string) bool { return strings.HasPrefix(p.name, open) && p.name != open }):
		return
	case slices.Contains(v.later, p.name):
		if !slices.ContainsFunc(p.filters, func(f filter) bool { return f.name == filterDefault }) {
			r.add(form.at, form.path+": "+quote(p.name)+" is captured by a later step only, so that there is nothing the first time",
				"capture it before, or say what to take instead: ${"+p.name+"|default:0}")
		}
		return
	}
	known := slices.Concat(v.names, v.later)
	message := form.path + ": nothing is known under the name " + quote(p.name) + suggest(p.name, known)
	if len(known) == 0 {
		r.add(form.at, message, "only the environment is known here: ${env.NAME}; write $${ for the two characters themselves")
		return
	}
	r.add(form.at, message, "known here are "+strings.Join(known[:min(len(known), 40)], ", ")+" and env.NAME")
}

// clientWords are what every template of a client of that group knows, once the run has begun.
func (r *resolver) clientWords(c Clients) []string {
	names := []string{"client", "group", "run.id"}
	if len(c.ChannelNames) > 0 {
		names = append(names, "channel", "n")
	}
	names = append(names, r.dataWords()...)
	for _, request := range r.form.Server.Login.items {
		names = append(names, request.Capture.names()...)
	}
	return names
}

// dataWords are the columns of feeds and the values of the user's own.
func (r *resolver) dataWords() []string {
	var names []string
	for _, feed := range r.feeds {
		for _, column := range feed.Columns {
			names = append(names, feed.Name+"."+column)
		}
	}
	for _, value := range r.values {
		names = append(names, value.Name)
	}
	return names
}

// checkRows notes that a feed has fewer rows than clients, each of which should have one of its own.
func (r *resolver) checkRows(form *text, name string, clients int) {
	feed, _, _ := strings.Cut(name, ".")
	at := slices.IndexFunc(r.feeds, func(f Feed) bool { return f.Name == feed })
	if at < 0 || r.feeds[at].Take != TakePerClient || r.feeds[at].Rows >= clients {
		return
	}
	r.add(form.at, form.path+": "+counted(clients, "client")+" are to have a row each of the feed "+feed+", which has "+counted(r.feeds[at].Rows, "row"),
		"add rows, or let clients share them: feeds: {"+feed+": {take: "+TakeNext+"}}")
}
