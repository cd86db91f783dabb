package scenarios

import (
	"fmt"
	"slices"
)

// spareFiles are the descriptors that a process needs for itself: its listener, its files, the pipes to its children.
const spareFiles = 64

// Machine is what Warnings has to know of where the run will be. The zero Machine is one of which nothing is known.
type Machine struct {
	Files int // descriptors that a process may open; 0 = not known
	Cores int // 0 = not known
}

// Warnings lists what the user wants to know before the run on m, in a fixed order.
//
// Each client with a stream needs one descriptor, each sender one more for its commands, each worker of a flood one: in the
// generator and in the target alike, since every connection has two ends. With several nodes each has its share of them, and
// all of them when the others are gone.
func (f *File) Warnings(m Machine) []string {
	warnings := slices.Clone(f.LeftOut)
	if need := f.descriptors() + spareFiles; m.Files > 0 && need > m.Files {
		warnings = append(warnings, fmt.Sprintf(
			"the run needs %d open files in the generator and as many in the target, the limit of a process is %d: raise it with ulimit -n %d",
			need, m.Files, need))
	}
	listened := map[string]bool{}
	for _, c := range f.Clients {
		if !c.Streams {
			continue
		}
		for _, name := range c.ChannelNames[:min(len(c.ChannelNames), c.Count)] {
			listened[name] = true
		}
		if n := len(c.ChannelNames); n > c.Count {
			warnings = append(warnings, fmt.Sprintf("clients.%s: %d clients leave %d of their %d channels without a subscriber", c.Name, c.Count, n-c.Count, n))
		}
	}
	for i := range f.Load {
		if name, ok := f.unheard(&f.Load[i], listened); ok {
			warnings = append(warnings, fmt.Sprintf("load.%s: nobody listens on the channel %q, so that its commands reach nobody", f.Load[i].Name, name))
		}
	}
	warnings = append(warnings, f.serverWarnings(m.Cores)...)
	for _, h := range f.Server.Headers {
		if h.clear {
			warnings = append(warnings, fmt.Sprintf("server.headers.%s stands in the file in clear: write ${env.NAME} to keep a secret out of it", h.Name))
		}
	}
	return warnings
}

// descriptors counts the connections that are open at the same time.
func (f *File) descriptors() int {
	sum := 0
	for _, c := range f.Clients {
		if c.Streams {
			sum += c.Count
		}
		senders := 0
		for _, l := range f.Load {
			if l.By == c.Name {
				senders = max(senders, l.Only) // always the first of the group: they keep their connection from load to load
			}
		}
		sum += senders
	}
	for _, l := range f.Load {
		sum += l.Workers
	}
	return sum
}

// unheard finds a channel to which the load posts and nobody listens; a flood is plain POSTs, which nobody need hear.
func (f *File) unheard(l *Load, listened map[string]bool) (channel string, found bool) {
	if l.Flood {
		return "", false
	}
	if l.Channel != "" {
		return l.Channel, !listened[l.Channel]
	}
	c, ok := group(f.Clients, l.By)
	if !ok {
		return "", false
	}
	names := c.ChannelNames[:min(len(c.ChannelNames), l.Only)]
	at := slices.IndexFunc(names, func(name string) bool { return !listened[name] })
	if at < 0 {
		return "", false
	}
	return names[at], true
}
