package scenarios

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"holobench/internal/draw"
)

// defaultAway is how long a browser waits before it opens a stream again that has ended, unless the server says otherwise.
const defaultAway = 3 * time.Second

// faultKind is one kind of fault in the language.
type faultKind struct {
	key   string
	form  *spot
	takes []string // which of for and ramp it goes with; one without for knows its own length
	read  func(*faultForm, *Fault)
}

// faultKinds lists them in the order of the manual. A new kind is one line here, one in faultForm, and a file fault_NAME.go.
func (r *resolver) faultKinds(form *faultForm) []faultKind {
	return slices.Concat([]faultKind{
		{"disconnect", &form.Disconnect.spot, nil, r.disconnection},
		{"reconnect_storm", &form.ReconnectStorm.spot, nil, r.storm},
		{"churn", &form.Churn.spot, []string{"for", "ramp"}, r.churn},
	}, r.linkKinds(form), r.nodeKinds(form))
}

// faultsUntil resolves the section faults. End is when the load is over, if known is true.
func (r *resolver) faultsUntil(end time.Duration, known bool, clients []Clients) []Fault {
	form := &r.form.Faults
	var all []Fault
	for _, item := range form.items {
		before := len(r.list)
		f := r.fault(item, clients)
		if known && len(r.list) == before && item.At.usable() && !item.broken && f.At+f.For > end {
			r.add(item.At.at, item.At.path+": the fault ends at "+(f.At+f.For).String()+", the load at "+end.String(),
				"let it end with the load, or let the load go on: nothing is due after it")
		}
		if item.Name.usable() && slices.ContainsFunc(all, func(other Fault) bool { return other.Name == f.Name }) {
			r.add(item.Name.at, item.Name.path+": there are two faults "+quote(f.Name), "take another name for one of them")
		}
		all = append(all, f)
	}
	if len(all) > maxFaultCount {
		r.add(form.at, "faults: there are "+strconv.Itoa(len(all))+", the limit is "+strconv.Itoa(maxFaultCount), "leave some of them out")
	}
	return all
}

// fault resolves one fault.
func (r *resolver) fault(form *faultForm, clients []Clients) Fault {
	f := Fault{Name: form.Name.or(""), At: form.At.or(0), Every: form.Every.or(0), Ramp: form.Ramp.or(0), Where: r.where(form, clients)}
	if form.at != nil {
		f.Place = Place{Line: form.at.line, Path: form.path}
	}
	r.require(&form.Name.spot, &form.spot, "name", "give it a name: its windows, and budgets on them, go by it")
	r.check(&form.Name, checkName)
	if r.form.Windows.find(f.Name) != nil {
		r.add(form.Name.at, form.Name.path+": there is a window "+quote(f.Name)+" already, and a fault makes one of its own name", "take another name for one of them")
	}
	r.require(&form.At.spot, &form.spot, "at", "say when it begins, after the barrier: at: 20s")
	r.faultKind(form, &f)
	r.checkFaultTimes(form, &f)
	return f
}

// faultKind resolves what a fault does: exactly one of the kinds.
func (r *resolver) faultKind(form *faultForm, f *Fault) {
	var first *faultKind
	var names []string
	for _, k := range r.faultKinds(form) {
		names = append(names, k.key)
		switch {
		case !k.form.given():
		case first == nil:
			first = &k
		default:
			r.add(k.form.at, k.form.path+" stands beside "+first.key+", and a fault does one thing", "keep one of the two, or make two faults of it")
		}
	}
	if first == nil {
		if !form.broken && form.given() {
			r.add(form.at, form.path+": it does nothing", "say what goes wrong, by one of "+strings.Join(names, ", ")+"; for example disconnect: {}")
		}
		return
	}
	first.read(form, f)
	r.way(form, f)
	for _, beside := range []struct {
		key    string
		form   *spot
		remedy string
	}{{"for", &form.For.spot, "it is over when its clients are back: say so by within and away"}, {"ramp", &form.Ramp.spot, "leave it out: it has no strength that could rise"}} {
		if beside.form.given() && !slices.Contains(first.takes, beside.key) {
			r.add(beside.form.at, beside.form.path+" does not go with "+first.key, beside.remedy)
		}
	}
	if slices.Contains(first.takes, "for") && !momentary(f.Effect) {
		r.require(&form.For.spot, &form.spot, "for", "say how long it is at work: for: 10s")
		f.For = form.For.or(0)
	} else if momentary(f.Effect) {
		l, _ := f.Effect.(LinkFault)
		f.Moment, f.For = !form.For.given(), max(l.Within, form.For.or(0))
	}
	f.For = max(f.For, time.Millisecond) // who is away for no time at all has been cut all the same
}

// checkFaultTimes finds what is wrong with the times of a fault among themselves.
func (r *resolver) checkFaultTimes(form *faultForm, f *Fault) {
	r.checkLength(&form.For)
	switch {
	case f.Effect == nil:
	case form.Every.usable() && f.Every < f.For:
		r.add(form.Every.at, form.Every.path+": it begins again after "+f.Every.String()+", and is at work for "+f.For.String(), "let it begin again when it is over")
	case form.Ramp.usable() && form.For.usable() && f.Ramp > f.For:
		r.add(form.Ramp.at, form.Ramp.path+": its strength rises for "+f.Ramp.String()+", and it is over after "+f.For.String(), "let it rise for less")
	}
	for _, d := range []*duration{&form.At, &form.Every, &form.Ramp} {
		if d.usable() && d.v > maxTime {
			r.add(d.at, d.path+": "+d.v.String()+" is more than the limit, "+maxTime.String(), "")
		}
	}
}

// checkFaultTime bounds a time that makes a fault longer.
func (r *resolver) checkFaultTime(form *duration) {
	if form.usable() && form.v > maxFault {
		r.add(form.at, form.path+": "+form.v.String()+" is more than the limit, "+maxFault.String(), "")
	}
}

// where resolves whom a fault hits.
func (r *resolver) where(form *faultForm, clients []Clients) Where {
	where := &form.Where
	w := Where{Clients: where.Clients.or(""), Share: where.Share.or(1)}
	if where.Share.usable() && w.Share == 0 {
		r.add(where.Share.at, where.Share.path+": a fault that hits nobody is none", "write a share above 0%, or leave the fault out")
		w.Share = 1
	}
	if r.onNode(form) {
		if where.given() {
			r.add(where.at, where.path+": this fault hits nodes, and not clients", "leave it out: the fault itself says which nodes")
		}
		return w
	}
	names := r.form.Clients.names()
	c, ok := group(clients, w.Clients)
	switch {
	case !where.Clients.usable() || r.unsure(&r.form.Clients.spot):
	case !ok:
		r.add(where.Clients.at, where.path+": there are no clients "+quote(w.Clients)+suggest(w.Clients, names), known("clients", names))
	case !c.Streams && (!r.onLink(form) || where.Path.or("") == PathStream):
		r.add(where.Clients.at, where.path+": the clients "+w.Clients+" hold no stream that could end", "name clients that listen")
	}
	if !where.Clients.given() && !r.onLink(form) && !r.unsure(&r.form.Clients.spot) && !slices.ContainsFunc(clients, func(c Clients) bool { return c.Streams }) && form.given() {
		r.add(form.at, form.path+": no clients hold a stream that could end", "add clients that listen, or leave the fault out")
	}
	return w
}

// onLink says whether the fault is one that a link carries out.
func (r *resolver) onLink(form *faultForm) bool {
	return slices.ContainsFunc(r.linkKinds(form), func(k faultKind) bool { return k.form.given() })
}

// momentary says whether a fault may do without a length: it ends connections that are there when it begins, or a node for good.
func momentary(e Effect) bool {
	switch e := e.(type) {
	case LinkFault:
		return (e.Kind == "reset" || e.Kind == "close") && e.Bytes == 0
	case NodeFault:
		return e.Kind == KillNode && !e.Restart
	}
	return false
}

// way resolves where on the way a fault is, which only those that a link carries out can say.
func (r *resolver) way(form *faultForm, f *Fault) {
	where := &form.Where
	_, onLink := f.Effect.(LinkFault)
	for _, t := range []*text{&where.Path, &where.Direction} {
		if t.given() && !onLink {
			r.add(t.at, t.path+": this fault is not about what is on its way", "leave it out")
		}
	}
	f.Where.Path = r.oneOf(&where.Path, "", []string{PathStream, PathCommand})
	if l, ok := f.Effect.(LinkFault); ok && f.Where.Path == "" && l.onMessages() {
		f.Where.Path = PathStream
	}
	f.Where.Direction = r.oneOf(&where.Direction, "", []string{Down, Up, Both})
}

// nearlyMost is as long as an amount of time is at most; of one without an end, as long as 999 of 1,000 draws are at most.
func nearlyMost(a Amount) time.Duration {
	if a.Kind == draw.KindConstant || a.Kind == draw.KindUniform {
		return time.Duration(a.Max())
	}
	return time.Duration(a.Draw(0.999))
}
