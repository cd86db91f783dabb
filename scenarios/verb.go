package scenarios

import (
	"strconv"
	"strings"
)

// verb is a key of which a mapping has exactly one.
type verb struct {
	name string
	at   *spot
}

// oneVerb returns which of the verbs stands there, "" after a fault. What is what the mapping is: "a step"; remedy goes before the list
// of all verbs.
func (r *resolver) oneVerb(form *spot, verbs []verb, what, remedy string) string {
	var found []verb
	names := make([]string, len(verbs))
	for i, v := range verbs {
		names[i] = v.name
		if v.at.given() {
			found = append(found, v)
		}
	}
	switch {
	case len(found) == 1:
		return found[0].name
	case len(found) > 1:
		r.add(found[1].at.at, form.path+": "+what+" says one thing, and both "+found[0].name+" and "+found[1].name+" stand here", "make two of it; it is one of "+strings.Join(names, ", "))
	case !form.broken && form.given():
		r.add(form.at, form.path+" says nothing", remedy+strings.Join(names, ", "))
	}
	return ""
}

// counted is a number with what it counts: "1 row", "2 rows".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}
