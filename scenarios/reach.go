package scenarios

// channelsOf lists the channels to which a load may send. Where they cannot be told beforehand, anywhere is true: it may be any.
func (f *File) channelsOf(l *Load) (names []string, anywhere bool) {
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	c, ok := group(f.Clients, l.By)
	own := func() {
		for i := range max(1, l.Only) {
			add(l.ChannelOf(&c, i))
		}
	}
	switch {
	case l.To != nil:
		for _, name := range f.channelsTo(l.To) {
			add(name)
		}
	case l.Flow == nil && (ok || l.Flood):
		own()
	}
	for _, s := range sends(l.Flow) {
		text, constant := s.Channel.Constant()
		switch {
		case s.To != nil:
			for _, name := range f.channelsTo(s.To) {
				add(name)
			}
		case !constant:
			anywhere = true
		case text != "":
			add(text)
		case l.To == nil:
			own()
		}
	}
	return names, anywhere
}

// channelsTo lists the channels of the clients that a To names.
func (f *File) channelsTo(to *To) []string {
	c, _ := group(f.Clients, to.Clients)
	return c.ChannelNames
}

// targets lists the groups to whose channels a load sends by name.
func (l *Load) targets() []string {
	var all []string
	if l.To != nil {
		all = append(all, l.To.Clients)
	}
	for _, s := range sends(l.Flow) {
		if s.To != nil {
			all = append(all, s.To.Clients)
		}
	}
	return all
}

// sends lists the steps of a flow that send a command, those in other steps too.
func sends(flow []Step) []*Send {
	var all []*Send
	Walk(flow, func(step Step) {
		if s, ok := step.(*Send); ok {
			all = append(all, s)
		}
	})
	return all
}

// flowsIn lists the flows that stand in a step.
func flowsIn(step Step) [][]Step {
	var all [][]Step
	switch s := step.(type) {
	case *Send:
		for i := range s.OnReply {
			all = append(all, s.OnReply[i].Flow)
		}
	case *Get:
		for i := range s.OnReply {
			all = append(all, s.OnReply[i].Flow)
		}
	case *Repeat:
		all = append(all, s.Flow)
	case *Choose:
		for i := range s.Ways {
			all = append(all, s.Ways[i].Flow)
		}
	case *If:
		all = append(all, s.Then, s.Else)
	}
	return all
}
