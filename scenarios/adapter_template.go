package scenarios

import (
	"slices"
	"strings"
)

// scope is what the templates of an adapter know.
type scope struct {
	fixed  map[string]string // vars of a protocol file
	names  []string          // captured by requests and events, columns of feeds
	tokens []string          // jwt of a protocol file
	sends  bool              // the template is part of a command
}

// template reads a text in which names stand. What is known beforehand (env, vars) is filled in, so that whoever makes a
// request of it needs the names of a client only.
func (a *adapter) template(form *text) Template {
	if !form.usable() {
		return Template{}
	}
	t, err := ParseTemplate(form.v)
	if err != nil {
		a.addError(form.at, form.path, err)
		return Template{}
	}
	for i := range t.parts {
		p := &t.parts[i]
		if p.name == "" {
			continue
		}
		value, fixed := a.constant(form, p)
		if !fixed {
			a.checkReference(form, p.name)
			continue
		}
		filled, _ := p.append(nil, func(dst []byte, _ string) ([]byte, bool) { return append(dst, value...), value != "" })
		*p = part{literal: string(filled)}
	}
	return t
}

// literal is a template without names.
func (a *adapter) literal(text string) Template { return Literal(text) }

// constant is what a name stands for wherever it stands.
func (a *adapter) constant(form *text, p *part) (value string, ok bool) {
	if value, ok := a.fixed[p.name]; ok {
		return value, true
	}
	name, ok := strings.CutPrefix(p.name, "env.")
	if !ok {
		return "", false
	}
	value, _ = a.env(name)
	if value == "" && !slices.ContainsFunc(p.filters, func(f filter) bool { return f.name == filterDefault }) {
		a.add(form.at, form.path+": the environment variable "+name+" is not set, or empty", "set it: export "+name+"=..., or say what to take instead: ${env."+name+"|default:...}")
	}
	if value != "" && !slices.Contains(a.secret, value) {
		a.secret = append(a.secret, value)
	}
	return value, true
}

// checkReference notes a name that nothing stands for.
func (a *adapter) checkReference(form *text, name string) {
	known := append([]string{"client", "group", "channel", "n", "run.id", "last_id"}, a.names...)
	if a.sends {
		known = append(known, "payload", "marker", "name", "seq")
	}
	for _, token := range a.tokens {
		known = append(known, "jwt."+token)
	}
	if slices.Contains(known, name) || strings.HasPrefix(name, "header.") || a.sends && strings.HasPrefix(name, "with.") {
		return
	}
	a.add(form.at, form.path+": nothing is known under the name "+quote(name)+suggest(name, known),
		"known here are "+strings.Join(known, ", ")+"; a request captures more: capture: {"+strings.NewReplacer(".", "_", "[", "_", "]", "_").Replace(name)+": {json: PATH}}")
}
