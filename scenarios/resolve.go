package scenarios

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// resolver checks the forms against each other and writes the File. It goes on after a fault, so that all faults of a
// file are reported together; what it returns after one is of no use.
type resolver struct {
	*faults
	form fileForm
	env  func(string) (string, bool)

	file   string   // its path: what it names counts from there
	others Errors   // of the files that it names
	secret []string // what the environment gave to templates, and what stands in secret columns
	feeds  []Feed
	values []Value
}

// resolve writes the File but its Text.
func (r *resolver) resolve(path string) *File {
	form := &r.form
	if !form.broken {
		r.require(&form.Version.spot, &form.spot, "version", "begin the file with \"version: 1\"")
	}
	f := &File{Path: path, Name: form.Name.or(defaultName(path)), Seed: form.Seed.or(1)}
	if form.Name.usable() {
		r.check(&form.Name, checkName)
	}
	f.Profiles = r.profiles()
	r.feeds = r.readFeeds()
	r.values = r.readValues()
	f.Feeds, f.Values = r.feeds, r.values
	f.Server = r.server()
	f.Clients = r.clients(&f.Server)
	before := len(r.list)
	f.Load = r.loads(f.Clients)
	r.checkOwn(f)
	known := len(r.list) == before && !r.loadBroken()
	f.Windows = r.windows(f.End(), known)
	f.Faults = r.faultsUntil(f.End(), known, f.Clients)
	r.checkNodeFaults(f)
	r.checkReadable(f)
	if known {
		f.Windows = append(f.Windows, windowsOfFaults(f.Faults, f.End())...)
	}
	f.Drain = form.Drain.or(defaultDrain)
	if f.Drain > maxDrain {
		r.add(form.Drain.at, "drain: "+f.Drain.String()+" is more than the limit, "+maxDrain.String(), "")
	}
	f.PairWindow = r.pairWindow()
	f.Guarantees = r.guarantees()
	f.Budgets = r.budgets(f.Windows, known)
	r.checkRecovery(f)
	r.checkSearches(f)
	f.AtEnd = r.atEnd(f.Clients)
	if secret := r.secret; secret != nil {
		f.Server.filled = func() []string { return secret }
	}
	return f
}

// loadBroken tells whether the length of the load cannot be known, so that nothing can be past its end.
func (r *resolver) loadBroken() bool {
	if r.form.broken && !r.form.Load.given() || r.form.Load.broken {
		return true
	}
	for _, e := range r.form.Load.list {
		l := &e.form
		if l.broken || l.For.broken || l.Start.broken || l.Stages.broken {
			return true
		}
		for _, s := range l.Stages.items {
			if s.broken || s.For.broken {
				return true
			}
		}
	}
	return false
}

// require notes that a key is missing. Nothing is missing from a form with unknown keys: one of them may be it.
func (r *resolver) require(key, in *spot, name, remedy string) {
	if key.given() || in.broken || !in.given() {
		return
	}
	r.add(in.at, strings.TrimPrefix(in.path+": ", ": ")+name+" is missing", remedy)
}

// check notes what a check has against a text.
func (r *resolver) check(t *text, check func(string) error) {
	if !t.usable() {
		return
	}
	if err := check(t.v); err != nil {
		r.addError(t.at, t.path, err)
	}
}

// checkKey is check for a name that is a key.
func (r *resolver) checkKey(key *node, section string) {
	if err := checkName(key.text); err != nil {
		r.addError(key, section, err)
	}
}

// oneOf returns the text when it is one of words, and otherwise notes that it is not and returns the default.
func (r *resolver) oneOf(t *text, unset string, words []string) string {
	if !t.usable() {
		return unset
	}
	if !slices.Contains(words, t.v) {
		r.add(t.at, t.path+": unknown word "+quote(t.v)+suggest(t.v, words), "write one of "+strings.Join(words, ", "))
		return unset
	}
	return t.v
}

// upTo returns the integer when it lies between 1 and most, and otherwise notes that it does not and returns 1.
func (r *resolver) upTo(i *integer, unset, most uint64, what string) uint64 {
	if !i.usable() {
		return unset
	}
	if i.v < 1 || i.v > most {
		span := "from 1 to " + strconv.FormatUint(most, 10)
		if most == 1 {
			span = "only 1 today"
		}
		r.add(i.at, i.path+": "+strconv.FormatUint(i.v, 10)+" is outside of the limits: "+what+" "+span, "")
		return 1
	}
	return i.v
}

// windows resolves the section of that name. The end of the load is known only when there is no fault in it.
func (r *resolver) windows(end time.Duration, known bool) []Window {
	form := &r.form.Windows
	var all []Window
	if len(form.list) > maxWindows {
		r.add(form.at, "windows: there are "+strconv.Itoa(len(form.list))+", the limit is "+strconv.Itoa(maxWindows), "leave some of them out")
	}
	for _, e := range form.list {
		r.checkKey(e.key, "windows")
		if !e.form.usable() {
			continue
		}
		w := Window{Name: e.name, From: e.form.v.from, To: e.form.v.to}
		if known && w.To > end {
			r.add(e.form.at, e.form.path+": the window ends at "+w.To.String()+", the load at "+end.String(),
				"end it with the load, or let the load go on: nothing is due after it")
		}
		all = append(all, w)
	}
	return all
}

// unsure tells whether a section may be there and could not be read: nothing is then known to be missing from it.
func (r *resolver) unsure(section *spot) bool {
	return section.broken || r.form.broken && !section.given()
}

// known lists the names that could be meant.
func known(what string, names []string) string {
	if len(names) == 0 {
		return "the file has no " + what
	}
	return "the " + what + " of the file are " + strings.Join(names[:min(len(names), 20)], ", ")
}
