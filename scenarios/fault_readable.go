package scenarios

// readsMessages says whether whoever carries the fault out must read what is said: HTTP/1.1, not encrypted.
func (l LinkFault) readsMessages() bool {
	switch l.Kind {
	case "http_abort", "http_delay", "drop", "duplicate", "reorder", "corrupt", "truncate", "heartbeat_loss":
		return true
	}
	return false
}

// onBytes is what can be done where nothing can be read.
const onBytes = "use a fault on bytes (delay, stall, loss, reset, ...)"

// unreadable says why what clients and server say cannot be read on its way, and what to do about it; "" = it can.
func (s *Server) unreadable() (why, remedy string) {
	switch b := &s.Bundled; {
	case s.URL != nil && s.URL.Scheme == "https":
		return "what is said to " + s.URL.Host + " is encrypted on its way", onBytes + ", or http:// if the server takes it"
	case s.URL != nil && s.Protocol.Wire == ChannelsWire:
		return "what is said over a WebSocket is no HTTP", onBytes
	case s.URL != nil:
		return "", ""
	case b.Wire == ChannelsWire:
		return "what is said over the wire " + ChannelsWire + ", a WebSocket, is no HTTP", onBytes + ", or another wire"
	case b.Transport == TLS || b.Transport == TLSH2:
		return "what is said over the transport " + b.Transport + " is encrypted on its way", onBytes + ", or transport: " + HTTP1
	}
	return "", ""
}

// checkReadable refuses faults that must read what is said where nobody can, and those on connections that clients have not.
func (r *resolver) checkReadable(f *File) {
	if len(f.Faults) != len(r.form.Faults.items) {
		return
	}
	for i, form := range r.form.Faults.items {
		fault := &f.Faults[i]
		l, ok := fault.Effect.(LinkFault)
		if !ok {
			continue
		}
		one := f.oneConnection(&fault.Where)
		if one != "" && fault.Where.Path == PathCommand {
			r.add(form.Where.Path.at, form.Where.Path.path+": the clients "+quote(one)+" have one connection for all, which is HTTP/2 and counts as that of a stream",
				"leave path out, or name clients that speak HTTP/1.1")
		}
		why, remedy := f.Server.unreadable()
		if why == "" && one != "" {
			why, remedy = "what the clients "+quote(one)+" say is HTTP/2, and it reads HTTP/1.1", onBytes+", or http: 1.1 of these clients"
		}
		if why == "" || !l.readsMessages() {
			continue
		}
		for _, k := range r.linkKinds(form) {
			if k.form.given() {
				r.add(k.form.at, k.form.path+": no backend can do this here: "+why, remedy)
			}
		}
	}
}

// oneConnection names clients that a fault hits and that have one connection for all, which is one of HTTP/2; "" = none.
func (f *File) oneConnection(w *Where) string {
	for i := range f.Clients {
		if c := &f.Clients[i]; c.HTTP == 2 && w.OnLinksOf(c.Name) {
			return c.Name
		}
	}
	return ""
}

// OnLinksOf says whether a LinkFault is about connections of the clients of that group: without a name it is about those of all
// clients, also of those that hold no stream.
func (w *Where) OnLinksOf(group string) bool { return w.Clients == "" || w.Clients == group }
