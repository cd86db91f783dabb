package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// keepOnly leaves out all loads but those of these names, then the clients that these do not need, and then what has lost its meaning:
// windows, faults and budgets. LeftOut says what that was.
func (f *File) keepOnly(names []string) error {
	if len(names) == 0 {
		return nil
	}
	var known []string
	for _, l := range f.Load {
		known = append(known, l.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return Errors{{File: "--only " + name, Message: "there is no such load" + suggest(name, known), Remedy: "the loads are " + strings.Join(known, ", ")}}
		}
	}
	f.keepLoads(names)
	f.keepClients()
	f.keepFaults()
	f.keepWindows()
	f.keepBudgets()
	return nil
}

// leave notes that something is left out.
func (f *File) leave(what, why string) {
	f.LeftOut = append(f.LeftOut, "--only leaves out "+what+why)
}

// keepLoads keeps the loads of these names. Those that would have begun when another is over begin at the barrier when that is none of them.
func (f *File) keepLoads(names []string) {
	f.Load = slices.DeleteFunc(f.Load, func(l Load) bool { return !slices.Contains(names, l.Name) })
	for i := range f.Load {
		l := &f.Load[i]
		if l.After == "" || slices.Contains(names, l.After) {
			continue
		}
		f.leave("load "+l.After, ": load "+l.Name+" begins at the barrier, not when that is over")
		f.shift(l.Name, l.Start-l.pause)
		l.After = ""
	}
}

// shift lets a load, and those that begin when it is over, begin earlier.
func (f *File) shift(name string, by time.Duration) {
	for i := range f.Load {
		switch l := &f.Load[i]; {
		case l.Name == name:
			l.Start -= by
		case l.After == name:
			f.shift(l.Name, by)
		}
	}
}

// keepClients keeps the groups that send, to whose channels is sent, and that hear what is sent. Where a load may send anywhere, all
// that listen stay.
func (f *File) keepClients() {
	posted, anywhere := map[string]bool{}, false
	kept := map[string]bool{}
	for i := range f.Load {
		l := &f.Load[i]
		kept[l.By] = true
		names, all := f.channelsOf(l)
		anywhere = anywhere || all
		for _, name := range names {
			posted[name] = true
		}
		for _, to := range l.targets() {
			kept[to] = true
		}
	}
	f.Clients = slices.DeleteFunc(f.Clients, func(c Clients) bool {
		stays := kept[c.Name] || c.Streams && (anywhere || slices.ContainsFunc(c.ChannelNames, func(name string) bool { return posted[name] }))
		if !stays {
			f.leave("clients "+c.Name, ", whom none of its loads need")
		}
		return !stays
	})
	if at := f.AtEnd.Converge; at != nil && at.Among != "" {
		if _, ok := group(f.Clients, at.Among); !ok {
			f.leave("at_end.converge", ": its clients are left out")
			f.AtEnd.Converge = nil
		}
	}
}

// keepFaults keeps the faults whose clients are still there, and that begin and end before the load does.
func (f *File) keepFaults() {
	f.Faults = slices.DeleteFunc(f.Faults, func(fault Fault) bool {
		_, ok := group(f.Clients, fault.Where.Clients)
		gone := fault.Where.Clients != "" && !ok
		late := fault.At+fault.For > f.End()
		if gone || late {
			f.leave("the fault "+fault.Name, map[bool]string{true: ": its clients are left out", false: ", which goes on after the load"}[gone])
		}
		return gone || late
	})
}

// keepWindows ends windows with the load, and leaves out those that begin after it.
func (f *File) keepWindows() {
	end := f.End()
	f.Windows = slices.DeleteFunc(f.Windows, func(w Window) bool {
		if w.Fault == "" && w.From >= end {
			f.leave("the window "+w.Name, ", which begins after the load")
		}
		return w.Fault != "" || w.From >= end
	})
	for i := range f.Windows {
		if w := &f.Windows[i]; w.To > end {
			f.leave(fmt.Sprintf("%v of the window %s", w.To-end, w.Name), ", which are after the load")
			w.To = end
		}
	}
	f.Windows = append(f.Windows, windowsOfFaults(f.Faults, end)...)
}

// keepBudgets keeps the budgets whose window, flood and fault are still there.
func (f *File) keepBudgets() {
	f.Budgets = slices.DeleteFunc(f.Budgets, func(b Budget) bool {
		window, load := b.Tags[TagWindow], b.Tags[TagLoad]
		lost := window != "" && !slices.ContainsFunc(f.Windows, func(w Window) bool { return w.Name == window }) ||
			load != "" && !slices.ContainsFunc(f.Load, func(l Load) bool { return l.Name == load }) ||
			b.ofNobody(f.Clients)
		if lost {
			f.leave("the budget "+b.String(), ": what it is about is left out")
		}
		return lost
	})
}
