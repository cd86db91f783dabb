package scenarios

import (
	"fmt"
	"slices"
	"strings"
)

// flowWarnings lists what flows wait for and will not get.
func (f *File) flowWarnings() []string {
	var warnings []string
	for i := range f.Load {
		l := &f.Load[i]
		c, _ := group(f.Clients, l.By)
		Walk(l.Flow, func(step Step) {
			path := step.Where().Path
			switch s := step.(type) {
			case *Send:
				warnings = append(warnings, f.partWarnings(s)...)
			case *Barrier:
				if l.Closed == nil && l.Only > 1 {
					warnings = append(warnings, fmt.Sprintf("%s: the barrier %s waits for all %d clients of the load, and only each lets all of them act: "+
						"those that are drawn wait for %v, as long as it may last", path, s.Name, l.Only, s.Within))
				}
			case *Expect:
				if why := f.whyNotOwn(&c); s.Event == Own && why != "" {
					warnings = append(warnings, path+": nobody hears of an event of its own "+why+", so that each of these expectations fails")
				}
			}
		})
	}
	return warnings
}

// partWarnings lists the parts of a command that the bundled target does not know.
func (f *File) partWarnings(s *Send) []string {
	parts := []string{"key", "id", "base"}
	var warnings []string
	for _, part := range s.With {
		if f.Server.URL == nil && !slices.Contains(parts, part.Name) {
			warnings = append(warnings, fmt.Sprintf("%s.with.%s: the bundled target knows no such part of a command%s, and refuses or ignores it: its parts are %s",
				s.Path, part.Name, suggest(part.Name, parts), strings.Join(parts, ", ")))
		}
	}
	return warnings
}

// whyNotOwn says why a client of the group never hears of its own event; "" when it does, or nobody knows.
func (f *File) whyNotOwn(c *Clients) string {
	if f.Server.URL != nil {
		return ""
	}
	switch echo := f.Server.Bundled.Knobs.Echo; {
	case echo == EchoNone:
		return "with echo: none"
	case echo == EchoStream && !c.Streams:
		return "with echo: stream and stream: none"
	}
	return ""
}
